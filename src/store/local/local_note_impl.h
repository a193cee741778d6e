/*
 * The form of a note, shared by what writes it (local_note.c) and what reads it
 * (local_note_read.c).
 *
 *   1  version (1; 2 when there are further headers)
 *   1  flags
 *   8  inode, 8 size, 12 mtime: the content that it is bound to (of a folder
 *      the inode alone: its time changes with every name in it)
 *  12  a second mtime (REBOUND): while the time is being changed
 *   n  ETag: 12 random bytes, or (LITERAL) a length and its characters
 *  16  MD5 (MD5)
 *   n  content type: a length and its characters
 *   n  (version 2) further headers: two bytes of length, `name: value` lines
 *   n  metadata, lines of the same form whose names are without their prefix,
 *      to the end
 *
 * Numbers are little-endian. A note without content type has 43 bytes, which
 * an inode of 256 bytes holds: a PUT writes no block for it.
 */
#ifndef STORE_LOCAL_LOCAL_NOTE_IMPL_H
#define STORE_LOCAL_LOCAL_NOTE_IMPL_H

#include "store/local/local_impl.h"

#define ATTRIBUTE "user.stagefs"
#define NOTE_MAX 8192
#define LINES_MAX 4095 /* a disk has no room for many more */
#define TYPE_MAX 255
#define ID_BYTES 12

enum note_flag { IMPLIED = 1, HAS_MD5 = 2, LITERAL = 4, REBOUND = 8 };

#endif
