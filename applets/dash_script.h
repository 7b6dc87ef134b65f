/* The dashboard without a terminal: a file of commands drives the same engine. */
#ifndef TUXTAPE_DASH_SCRIPT_H
#define TUXTAPE_DASH_SCRIPT_H

#include "applets/dash_term.h"

/* Runs the commands of a file ("-": standard input), one a line:
 *
 *   size 100x30        the terminal's size, columns first
 *   key j <Enter>      keys by name
 *   type some text     the characters of the rest of the line
 *   click 3 10         row and column, from 0; wheel 3 10 down
 *   tick 6000          so many milliseconds pass
 *   date 2026-08-14    ages are told as of then, whatever the clock says
 *   env NAME VALUE     sets a variable for the programs that are run
 *   wait               until nothing that was asked for is outstanding
 *   expect TEXT        the screen shows it; absent TEXT: it does not
 *   dump [FILE]        the screen as text, to standard output or a file
 *   styles on          dumps show a letter for each cell's style, too
 *   ascii on           the terminal shows ASCII alone
 *
 * Empty lines and those that begin with # are nothing. The clock stands still but for `tick`. Ends with the file, or when the dashboard does.
 * ERR_INPUT with "FILE:LINE: ..." for a command that is wrong or an expectation that is not met, the screen then being printed. */
int dash_script(struct dash *d, const char *path, const struct dash_server *server);

#endif
