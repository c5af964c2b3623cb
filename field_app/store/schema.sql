-- Every table alike: a number and a sealed body. What a row says, and what it belongs to, is known after unlock only.
-- Associated data of a body: store id, table, number. Nothing refers to anything: a damaged page costs its own rows.
create table if not exists own (number integer primary key, sealed blob not null);        -- operations, frames cut, identity
create table if not exists frame_state (number integer primary key, sealed blob not null); -- what became of a frame cut
create table if not exists pulled (number integer primary key, sealed blob not null);      -- frames of others, as they came
create table if not exists receipt (number integer primary key, sealed blob not null);     -- the office's signed word
create table if not exists subject_key (number integer primary key, sealed blob not null); -- keys this tablet made
create table if not exists draft (number integer primary key, sealed blob not null);       -- one row a field
create table if not exists place (number integer primary key, sealed blob not null);       -- where the person was
create table if not exists meta (number integer primary key, sealed blob not null);        -- cursor, epoch, nonce, alarms
create table if not exists media (number integer primary key, sealed blob not null);       -- files made here, how far sent
