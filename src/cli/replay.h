/*
 * replay.h - the command `kairos replay`: sends the heartbeats of a log to a server, in the rhythm
 * of the log or a multiple of it.
 *
 * The log is read as a whole and put in order of time. A heartbeat is due when as much time has
 * passed since the first one as in the log, divided by the speed: an absolute schedule, which
 * nothing can make drift. Heartbeats are sent without their timestamps, since to the server they
 * are new; those that are due at nearly the same moment go together, and so does whatever has
 * become due while the server was slow.
 */
#ifndef KAIROS_CLI_REPLAY_H
#define KAIROS_CLI_REPLAY_H

/* Runs the command with its arguments; returns the program's exit status. */
int replay_command(int argc, char **argv);

#endif
