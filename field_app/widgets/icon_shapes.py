"""The drawings of the tablet's icons, as strokes on a field of 24 × 24 units (x right, y down). Data only.

One line per icon, steps parted by ";": `line` open strokes through points, `shape` closed, `fill` filled polygon,
`ring` x y r, `arc` x y r from to (degrees, clockwise from three o'clock), `dot` x y r filled, `box` x0 y0 x1 y1 r,
`dashes` x y r n, `cut` a line that wipes what it crosses, so that the stroke drawn next stands free.
"""

from __future__ import annotations

SHAPES: dict[str, str] = {
    "home": "line 4 12 4 20 9.5 20 9.5 14 14.5 14 14.5 20 20 20 20 12; line 2.5 12.5 12 3.5 21.5 12.5",
    "list": "line 3 6 4.7 7.7 7.5 4.5; line 3 12 4.7 13.7 7.5 10.5; line 3 18 4.7 19.7 7.5 16.5;"
    "line 11 6 21 6; line 11 12 21 12; line 11 18 21 18",
    "camera": "shape 3 8 7 8 9 5 15 5 17 8 21 8 21 19 3 19; ring 12 13 3.3",
    "note": "shape 4 20 5 15.5 16 4.5 19.5 8 8.5 19; line 13.5 7 17 10.5",
    "cover": "arc 12 16.5 9.5 212 328; arc 12 7.5 9.5 32 148; ring 12 12 2.8; cut 3.5 2.5 21.5 20.5; line 3 4 20 21",
    "undo": "line 8.5 5 4 9.5 8.5 14; line 4 9.5 15 9.5; arc 15 14 4.5 -90 90; line 15 18.5 12 18.5",
    "check": "line 4.5 12.5 9.5 17.5 19.5 7",
    "cross": "line 6 6 18 18; line 18 6 6 18",
    "plus": "line 12 5 12 19; line 5 12 19 12",
    "minus": "line 5 12 19 12",
    "ring": "ring 12 12 9",
    "blank": "dashes 12 12 9 8",
    "half": "ring 12 12 9; line 12 3 12 21; line 12.5 7.5 16 4.6; line 12.5 12 19 6.5; line 12.5 16.5 20.5 10;"
    "line 13 20.3 20 14.8",
    "done": "ring 12 12 9; line 8 12.3 11 15.2 16 9.4",
    "lock": "box 5 11 19 21 2; line 8 11 8 7.5; line 16 11 16 7.5; arc 12 7.5 4 180 360; dot 12 16 1.3",
    "eye": "arc 12 16.5 9.5 212 328; arc 12 7.5 9.5 32 148; ring 12 12 2.8",
    "flag": "line 5 21 5 4; line 5 5 8 4.2 12 5.5 16 6 19 5 19 13 16 14 12 13.3 8 12.4 5 13.2",
    "left": "line 14.5 5.5 8 12 14.5 18.5",
    "right": "line 9.5 5.5 16 12 9.5 18.5",
    "up": "line 5.5 15 12 8.5 18.5 15",
    "down": "line 5.5 9 12 15.5 18.5 9",
    "arrow": "line 4 12 20 12; line 14 6 20 12 14 18",
    "person": "ring 12 7.5 3.8; arc 12 20.5 7 180 360",
    "people": "ring 9 8 3.5; arc 9 20 6.3 180 360; arc 15.5 8 3.5 -75 75; arc 16 20 5.8 -62 0",
    "cloud_up": "line 8 18 7 18; arc 7 14 4 90 250; arc 11.5 10 5.3 185 335; arc 17 14.5 3.6 -75 60;"
    "line 13 21 13 13; line 10 16 13 13 16 16",
    "cloud_done": "arc 7 14 4 90 250; arc 11.5 10 5.3 185 335; arc 17 14.5 3.6 -75 90; line 7 18 8.5 18;"
    "line 10.5 17 13 19.5 17.5 14.5",
    "cloud_off": "line 17 18 7 18; arc 7 14 4 90 250; arc 11.5 10 5.3 185 335; arc 17 14.4 3.6 -75 90;"
    "cut 4.5 2.5 21.5 19.5; line 4 4 20 20",
    "battery": "box 3 7 19 17 2.5; line 22 10.5 22 13.5; line 7 10.5 7 13.5; line 11 10.5 11 13.5",
    "search": "ring 10.5 10.5 6.5; line 15.5 15.5 20.5 20.5",
    "info": "ring 12 12 9; dot 12 8 1.25; line 10.8 11.5 12 11.5 12 16; line 10.5 16 13.5 16",
    "keyboard": "box 2.5 6 21.5 18 2; dot 6.5 10 1; dot 10 10 1; dot 14 10 1; dot 17.5 10 1; line 8 14.3 16 14.3",
    "backspace": "shape 9 5.5 20.5 5.5 20.5 18.5 9 18.5 3 12; line 12 9.5 17 14.5; line 17 9.5 12 14.5",
    "warning": "shape 12 3.5 21.5 20 2.5 20; line 12 9.5 12 14; dot 12 17 1.15",
    "alert": "ring 12 12 9; line 12 7.5 12 12.8; dot 12 16.3 1.2",
    "refused": "line 8 14 8 6; arc 9.3 6 1.3 180 360; line 10.6 11 10.6 4.3; arc 11.9 4.3 1.3 180 360;"
    "line 13.2 11 13.2 5.5; arc 14.5 5.5 1.3 180 360; line 15.8 11.5 15.8 8; arc 17.1 8 1.3 180 360;"
    "line 18.4 8 18.4 14; arc 12.9 14.5 5.5 0 95; line 12.3 20 10 19 5 13.5;"
    " arc 6.3 12.4 1.6 140 300; line 7.2 11.2 8 12",
    "does_not_apply": "ring 12 12 9; line 5.7 5.7 18.3 18.3",
    "not_asked": "line 9 4 20 4 20 16 18 16; line 4.5 5.5 4.5 16 8 16 8 20 12.5 16 13.5 16; line 8.5 8.5 10 8.5;"
    "line 14 8.5 16 8.5; line 8.5 12 12.5 12; cut 4.3 1.5 22.3 19.5; line 3.5 3 20.5 20",
    "not_seen": "arc 11 16 9.2 212 328; arc 11 7 9.2 90 148; ring 11 11.5 2.6; line 15.5 15.5 20.5 20.5;"
    " line 20.5 15.5 15.5 20.5",
    "not_known": "ring 10.5 10.5 7; line 15.8 15.8 20.8 20.8; arc 10.5 8.8 2 180 400; line 10.5 11.4 10.5 11.7;"
    " dot 10.5 14 1",
    "copy": "box 8 8 20 20 2; line 5 16 4 16 4 4 16 4 16 5",
    "calendar": "box 4 5 20 20 2; line 4 10 20 10; line 8 3 8 7; line 16 3 16 7; dot 8.5 14 1; dot 12.5 14 1;"
    " dot 15.7 14 1",
    "clock": "ring 12 12 9; line 12 7 12 12 15.5 14",
    "place": "arc 12 10 7 140 400; line 6.6 14.5 12 21 17.4 14.5; ring 12 10 2.6",
    "play": "shape 7 4.5 19.5 12 7 19.5",
    "file": "shape 6 3 14 3 19 8 19 21 6 21; line 14 3 14 8 19 8; line 9 13 16 13; line 9 17 16 17",
    "answer": "line 12 20 6 20 6 4 18 4 18 12; line 9 8.5 15 8.5; line 9 12.5 12 12.5; line 14.5 18 17 20.5 21 15.5",
    "sign": "line 3 20 21 20; line 4 16 7 16 9.5 7.5 8 5 6.5 8 9 15.5 12 11.5 13 15.5 15.5 12 16.5 15.5 20 15.5",
    "swap": "line 4 8 20 8; line 16 4 20 8; line 20 16 4 16; line 8 20 4 16",
    "differs": "line 5 9 19 9; line 5 15 19 15; line 16.5 4.5 7.5 19.5",
    "shield": "shape 12 3 19.5 5.5 19.5 11.5 17.5 16.5 12 21 6.5 16.5 4.5 11.5 4.5 5.5; line 8.5 12 11 14.5 15.5 9.5",
    "scales": "line 12 3.5 12 20; line 7.5 20.5 16.5 20.5; line 5 6.5 12 5 19 6.5; line 5 6.5 2.5 13.5;"
    "line 5 6.5 7.5 13.5; arc 5 13.5 2.6 0 180; line 19 6.5 16.5 13.5; line 19 6.5 21.5 13.5; arc 19 13.5 2.6 0 180",
    "building": "shape 5 21 5 3.5 19 3.5 19 21; line 2.5 21 21.5 21; line 9 8 10 8; line 14 8 15 8; line 9 12 10 12;"
    "line 14 12 15 12; line 9 16 10 16; line 14 16 15 16",
    "tablet": "box 5.5 2.5 18.5 21.5 2; dot 12 18 1.1",
    "settings": "line 4 7 12 7; ring 14.5 7 2.4; line 17.2 7 20 7; line 4 17 6.5 17; ring 9.2 17 2.4; line 12 17 20 17",
    "download": "line 12 4 12 15; line 7.5 10.5 12 15 16.5 10.5; line 4.5 16 4.5 20 19.5 20 19.5 16",
    "picture": "box 3.5 4.5 20.5 19.5 2; line 4 17 9 12 13 16 15.5 13.5 20 18; dot 15.5 9 1.3",
    "inbox": "box 4 4 20 20 2; line 4 14 8.5 14 10 16.5 14 16.5 15.5 14 20 14",
    "bubble": "line 12 17 8 20.5 8 17 4.5 17 4.5 5 19.5 5 19.5 17 12 17; line 8.5 9 15.5 9; line 8.5 13 13 13",
    "dissent": "line 12 17 8 20.5 8 17 4.5 17 4.5 5 19.5 5 19.5 17 12 17; line 12 8 12 11; dot 12 13.8 1.1",
    "ear": "arc 12 9 6 180 385; arc 12 9 2.7 180 360; line 17.5 11.5 14.5 16; arc 11.3 17.5 3.4 -20 150; line 6 9 6 11",
    "phone": "shape 5 4 9 4 10.5 8.5 8.3 10.2 13.8 15.7 15.5 13.5 20 15 20 19 18 20.3 12 18 6 12 3.7 6",
    "menu": "line 4 6.5 20 6.5; line 4 12 20 12; line 4 17.5 20 17.5",
    "filter": "shape 4 5 20 5 14 12 14 19 10 17 10 12",
    "link": "line 9.5 14.5 14.5 9.5; arc 16 8 4.2 -130 60; arc 8 16 4.2 50 240",
    "history": "arc 12 12 8.5 -150 150; line 4.6 3.5 4.6 7.8 9 7.8; line 12 7.5 12 12 15 13.8",
    "trash": "line 4 7 20 7; line 9.5 7 9.5 4 14.5 4 14.5 7; line 6 7 7 20.5 17 20.5 18 7;"
    " line 10 11 10 16.5; line 14 11 14 16.5",
    "dot": "dot 12 12 7",
}
