/* How this program says what went wrong. */
#ifndef OVL_CLIENT_COMPLAIN_H
#define OVL_CLIENT_COMPLAIN_H

/*
 * Writes one line to stderr, "NAME: what: about (EWHY)", where NAME is what the program was called
 * by. There is nothing in brackets if the error is 0.
 */
void complain(const char *what, const char *about, int error);

#endif
