/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd gives to a service, and wants to hear from it. Without systemd
 * nothing is given, and saying something does nothing.
 */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#define SERVICE_SOCKETS_MAX 16

/* Sockets of a socket unit (LISTEN_FDS); how many, at most
 * SERVICE_SOCKETS_MAX. They are for this process alone. */
unsigned service_sockets(int fds[SERVICE_SOCKETS_MAX]);

/* `READY=1`, `STOPPING=1`, to NOTIFY_SOCKET. */
void service_say(const char *state);

#endif
