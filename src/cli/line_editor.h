/* line_editor.h - lines typed at a terminal: edited, and remembered from one session to the next.
 *
 * Keys      libedit's: arrows, Ctrl-A and Ctrl-E, Ctrl-R to search; up and down go through what was typed before
 * File      LEAT_HISTORY, else $HOME/.leat_history, readable by its owner only; LEAT_HISTORY empty: nothing is kept. One that
 *           cannot be read or written is no error
 * Without   a terminal that cannot be edited on (TERM=dumb), or a build without libedit: lines as they come
 * Owns      the line; the next read overwrites it
 * Thread    one
 */
#ifndef CLI_LINE_EDITOR_H
#define CLI_LINE_EDITOR_H

#include <stdio.h>

#include "base/bytes.h"

struct line_editor;
enum heard { HEARD_LINE, HEARD_INTERRUPT, HEARD_END };

struct line_editor *line_editor_new(FILE *in);
/* A line without its end. */
enum heard line_editor_read(struct line_editor *self, const char *prompt, struct text *line);
/* Remember what was typed, as one line. */
void line_editor_remember(struct line_editor *self, const char *typed);
void line_editor_free(struct line_editor *self);

#endif
