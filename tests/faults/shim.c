/* A layer between a program and its disk, put in front of the C library by LD_PRELOAD.
 *
 * It follows every call that changes files under one folder: open that makes or empties, write, truncate, rename,
 * unlink, mkdir, fsync. It keeps a log of them, from which a test works out what a disk may hold after the power went
 * (disk.py), counts them, and on demand kills the process before the n-th, fails it, or lets the disk be full from it on.
 * It does nothing until `fault_begin` is called. Own code; the calls it stands before are those of the C library.
 *
 * A log record: op, flags (1 byte each), handle (4), offset (8), length of the path (4), length of the data (4), both.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FDS 4096
#define BLOCK 4096

enum { OP_OPEN = 'o', OP_WRITE = 'w', OP_TRUNCATE = 't', OP_SYNC = 's', OP_RENAME = 'r', OP_UNLINK = 'u',
       OP_MKDIR = 'm', OP_RMDIR = 'd', OP_LINK = 'l', OP_MARK = '!', OP_LOST = 'f' };
enum { FLAG_MADE = 1, FLAG_EMPTIED = 2 };
enum { NOTHING = 0, KILL = 1, TORN = 2, FULL = 3, FAIL_ONCE = 4, FAIL_ON = 5, FAIL_SYNC = 6 };

static char root[PATH_MAX];
static size_t root_length;
static int log_fd = -1;
static int handles[MOST_FDS]; /* 0: not followed */
static int next_handle = 1;
static int mode = NOTHING;
static long at = 0, counted = 0, failed = 0;
static long long room = 0;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

#define REAL(result, name, ...) \
    static result (*real_##name)(__VA_ARGS__); \
    if (!real_##name) real_##name = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

/* ── what a test calls ─────────────────────────────────────────────────────────────────────────────────────────── */

/* Follows what lies under `folder` from now on; `log` may be "". Forgets what was asked for before. */
void fault_begin(const char *folder, const char *log) {
    if (log_fd >= 0) syscall(SYS_close, log_fd);
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
    memset(handles, 0, sizeof handles);
    mode = NOTHING, at = counted = failed = 0;
    log_fd = log[0] ? (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
}

/* From now on: `what` happens at the n-th followed call (1 is the next). `bytes`: room left on a full disk. */
void fault_arm(int what, long n, long long bytes) { mode = what, at = n, counted = failed = 0, room = bytes; }

/* How many calls were followed since `fault_arm`. */
long fault_count(void) { return counted; }

/* How many of them were made to fail. */
long fault_failed(void) { return failed; }

/* ── log and count ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void note(char op, char flags, int handle, long long offset, const char *path, const void *data, size_t length) {
    if (log_fd < 0) return;
    unsigned char head[22];
    uint32_t path_length = path ? (uint32_t)strlen(path) : 0, data_length = (uint32_t)length;
    head[0] = (unsigned char)op, head[1] = (unsigned char)flags;
    memcpy(head + 2, &handle, 4), memcpy(head + 6, &offset, 8);
    memcpy(head + 14, &path_length, 4), memcpy(head + 18, &data_length, 4);
    struct iovec parts[3] = {{head, sizeof head}, {(void *)path, path_length}, {(void *)data, length}};
    syscall(SYS_writev, log_fd, parts, 3);
}

/* A word of the test among the calls: what was promised so far. */
void fault_mark(const char *text) {
    pthread_mutex_lock(&turn);
    note(OP_MARK, 0, 0, 0, text, NULL, 0);
    pthread_mutex_unlock(&turn);
}

static int full_path(int folder, const char *path, char *into) {
    if (!root_length || !path) return 0;
    if (path[0] == '/') {
        snprintf(into, PATH_MAX, "%s", path);
    } else {
        char link[64], base[PATH_MAX];
        ssize_t length;
        if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        length = readlink(link, base, sizeof base - 1);
        if (length < 0) return 0;
        base[length] = 0;
        if (snprintf(into, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return 0;
    }
    return strncmp(into, root, root_length) == 0 && (into[root_length] == '/' || into[root_length] == 0);
}

static int handle_of(int fd) { return fd >= 0 && fd < MOST_FDS ? handles[fd] : 0; }

/* Counts a call; 0 to go on, else the error it fails with. `grows`: bytes of the disk it needs. */
static int due(long long grows, int is_sync) {
    counted++;
    if (mode == NOTHING || counted < at) return 0;
    if (mode == KILL && counted == at) raise(SIGKILL);
    if (mode == FAIL_ONCE && counted == at) return failed++, EIO;
    if (mode == FAIL_ON) return failed++, EIO;
    if (mode == FAIL_SYNC && is_sync) return failed++, EIO;
    if (mode == FULL && grows > 0) {
        if (grows > room) return failed++, ENOSPC;
        room -= grows;
    }
    return 0;
}

static int is_torn(void) { return mode == TORN && counted == at; }

static long long size_of(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0 ? (long long)found.st_size : 0;
}

static long long beyond(int fd, long long end) {
    long long size = size_of(fd);
    return end > size ? end - size : 0;
}

#define REFUSED(grows, is_sync) \
    int error = due(grows, is_sync); \
    if (error) { pthread_mutex_unlock(&turn); errno = error; return -1; }

/* ── open and close ────────────────────────────────────────────────────────────────────────────────────────────── */

static int opened(int folder, const char *path, int flags, mode_t rights) {
    char full[PATH_MAX];
    int is_ours = full_path(folder, path, full), is_new = 0, empties = 0;
    if (!is_ours) return (int)syscall(SYS_openat, folder, path, flags, rights);
    pthread_mutex_lock(&turn);
    struct stat before;
    int stood = stat(full, &before) == 0;
    is_new = (flags & O_CREAT) && !stood;
    empties = stood && (flags & O_TRUNC) && before.st_size > 0;
    if (is_new || empties) { /* a name alone takes no block: inodes and the folder's own block are there already */
        REFUSED(0, 0)
    }
    int fd = (int)syscall(SYS_openat, folder, path, flags, rights);
    if (fd >= 0 && fd < MOST_FDS) {
        handles[fd] = next_handle++;
        note(OP_OPEN, (char)((is_new ? FLAG_MADE : 0) | (empties ? FLAG_EMPTIED : 0)), handles[fd], 0, full, NULL, 0);
        if (empties) room += before.st_size;
    }
    pthread_mutex_unlock(&turn);
    if (fd < 0) return -1;
    return fd;
}

#define RIGHTS(flags) \
    mode_t rights = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); rights = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { RIGHTS(flags) return opened(AT_FDCWD, path, flags, rights); }
int open64(const char *path, int flags, ...) { RIGHTS(flags) return opened(AT_FDCWD, path, flags | O_LARGEFILE, rights); }
int openat(int folder, const char *path, int flags, ...) { RIGHTS(flags) return opened(folder, path, flags, rights); }
int openat64(int folder, const char *path, int flags, ...) {
    RIGHTS(flags) return opened(folder, path, flags | O_LARGEFILE, rights);
}
int creat(const char *path, mode_t rights) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, rights); }
int creat64(const char *path, mode_t rights) { return creat(path, rights); }

int close(int fd) {
    if (fd >= 0 && fd < MOST_FDS) handles[fd] = 0;
    return (int)syscall(SYS_close, fd);
}

/* ── what changes a file ───────────────────────────────────────────────────────────────────────────────────────── */

static ssize_t written(int fd, const void *data, size_t length, off_t offset, int has_offset) {
    int handle = handle_of(fd);
    if (!handle)
        return has_offset ? syscall(SYS_pwrite64, fd, data, length, offset) : syscall(SYS_write, fd, data, length);
    pthread_mutex_lock(&turn);
    off_t begin = offset;
    if (!has_offset) begin = fcntl(fd, F_GETFL) & O_APPEND ? (off_t)size_of(fd) : lseek(fd, 0, SEEK_CUR);
    REFUSED(beyond(fd, begin + (long long)length), 0)
    int torn = is_torn();
    if (torn) length = length / 2;
    ssize_t done = has_offset ? syscall(SYS_pwrite64, fd, data, length, offset) : syscall(SYS_write, fd, data, length);
    if (done > 0) note(OP_WRITE, 0, handle, begin, NULL, data, (size_t)done);
    if (torn) raise(SIGKILL);
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t write(int fd, const void *data, size_t length) { return written(fd, data, length, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return written(fd, data, length, offset, 1); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) { return written(fd, data, length, offset, 1); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (!handle_of(fd)) return syscall(SYS_writev, fd, parts, count);
    ssize_t total = 0;
    for (int each = 0; each < count; each++) {
        ssize_t done = written(fd, parts[each].iov_base, parts[each].iov_len, 0, 0);
        if (done < 0) return total ? total : -1;
        total += done;
    }
    return total;
}

static int truncated(int fd, off_t size) {
    int handle = handle_of(fd);
    if (!handle) return (int)syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&turn);
    long long before = size_of(fd);
    REFUSED(size > before ? size - before : 0, 0)
    int done = (int)syscall(SYS_ftruncate, fd, size);
    if (done == 0) {
        if (size < before) room += before - size;
        note(OP_TRUNCATE, 0, handle, size, NULL, NULL, 0);
    }
    pthread_mutex_unlock(&turn);
    return done;
}

int ftruncate(int fd, off_t size) { return truncated(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncated(fd, size); }

/* Made as long as asked; a test's disk needs no real blocks behind it. Gives the error, as posix_fallocate does. */
static int laid_out(int fd, off_t offset, off_t length) {
    errno = 0;
    if (offset + length <= size_of(fd)) return 0;
    return truncated(fd, offset + length) == 0 ? 0 : errno;
}

int posix_fallocate(int fd, off_t offset, off_t length) {
    REAL(int, posix_fallocate, int, off_t, off_t);
    return handle_of(fd) ? laid_out(fd, offset, length) : real_posix_fallocate(fd, offset, length);
}
int posix_fallocate64(int fd, off64_t offset, off64_t length) { return posix_fallocate(fd, offset, length); }

static int synced(int fd, long number) {
    int handle = handle_of(fd);
    if (!handle) return (int)syscall(number, fd);
    pthread_mutex_lock(&turn);
    int error = due(0, 1);
    if (error) { /* what was to be waited for is lost, and a later wait does not say so again */
        note(OP_LOST, 0, handle, 0, NULL, NULL, 0);
        pthread_mutex_unlock(&turn);
        errno = error;
        return -1;
    }
    note(OP_SYNC, 0, handle, 0, NULL, NULL, 0);
    pthread_mutex_unlock(&turn);
    return 0; /* the test's disk is in memory: nothing to wait for */
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

/* ── what changes a folder ─────────────────────────────────────────────────────────────────────────────────────── */

static int moved(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    char source[PATH_MAX], target[PATH_MAX];
    int is_ours = full_path(from_folder, from, source), also = full_path(to_folder, to, target);
    if (!is_ours && !also) return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    pthread_mutex_lock(&turn);
    REFUSED(0, 0)
    struct stat over;
    long long freed = stat(target, &over) == 0 && S_ISREG(over.st_mode) ? over.st_size : 0;
    int done = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    if (done == 0) room += freed, note(OP_RENAME, 0, 0, 0, source, target, strlen(target));
    pthread_mutex_unlock(&turn);
    return done;
}

int rename(const char *from, const char *to) { return moved(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return moved(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return moved(a, from, b, to, flags); }

static int unlinked(int folder, const char *path, int flags) {
    char full[PATH_MAX];
    if (!full_path(folder, path, full)) return (int)syscall(SYS_unlinkat, folder, path, flags);
    pthread_mutex_lock(&turn);
    struct stat gone;
    if (stat(full, &gone) != 0) {
        pthread_mutex_unlock(&turn);
        return (int)syscall(SYS_unlinkat, folder, path, flags);
    }
    REFUSED(0, 0)
    int done = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (done == 0) {
        if (S_ISREG(gone.st_mode) && gone.st_nlink == 1) room += gone.st_size;
        note(flags & AT_REMOVEDIR ? OP_RMDIR : OP_UNLINK, 0, 0, 0, full, NULL, 0);
    }
    pthread_mutex_unlock(&turn);
    return done;
}

int unlink(const char *path) { return unlinked(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char *path, int flags) { return unlinked(folder, path, flags); }
int rmdir(const char *path) { return unlinked(AT_FDCWD, path, AT_REMOVEDIR); }

static int folder_made(int folder, const char *path, mode_t rights) {
    char full[PATH_MAX];
    if (!full_path(folder, path, full)) return (int)syscall(SYS_mkdirat, folder, path, rights);
    struct stat stood;
    if (stat(full, &stood) == 0) { errno = EEXIST; return -1; }
    pthread_mutex_lock(&turn);
    REFUSED(BLOCK, 0)
    int done = (int)syscall(SYS_mkdirat, folder, path, rights);
    if (done == 0) note(OP_MKDIR, 0, 0, 0, full, NULL, 0);
    pthread_mutex_unlock(&turn);
    return done;
}

int mkdir(const char *path, mode_t rights) { return folder_made(AT_FDCWD, path, rights); }
int mkdirat(int folder, const char *path, mode_t rights) { return folder_made(folder, path, rights); }

int linkat(int a, const char *from, int b, const char *to, int flags) {
    char source[PATH_MAX], target[PATH_MAX];
    if (!full_path(b, to, target)) return (int)syscall(SYS_linkat, a, from, b, to, flags);
    full_path(a, from, source);
    pthread_mutex_lock(&turn);
    REFUSED(0, 0)
    int done = (int)syscall(SYS_linkat, a, from, b, to, flags);
    if (done == 0) note(OP_LINK, 0, 0, 0, source, target, strlen(target));
    pthread_mutex_unlock(&turn);
    return done;
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

/* ── how much room there is ────────────────────────────────────────────────────────────────────────────────────── */

static void told(struct statvfs *into) {
    if (mode != FULL || counted < at - 1) return;
    into->f_bavail = into->f_bfree = (fsblkcnt_t)(room > 0 ? room : 0) / into->f_frsize;
}

int statvfs(const char *path, struct statvfs *into) {
    REAL(int, statvfs, const char *, struct statvfs *);
    char full[PATH_MAX];
    int done = real_statvfs(path, into);
    if (done == 0 && full_path(AT_FDCWD, path, full)) told(into);
    return done;
}
int statvfs64(const char *path, struct statvfs64 *into) {
    REAL(int, statvfs64, const char *, struct statvfs64 *);
    char full[PATH_MAX];
    int done = real_statvfs64(path, into);
    if (done == 0 && full_path(AT_FDCWD, path, full)) told((struct statvfs *)into);
    return done;
}
