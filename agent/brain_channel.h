/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_BRAIN_CHANNEL_H
#define VEILLE_BRAIN_CHANNEL_H

/* One conversation of the brain with a probe: a child of its own, or a connection on which systemd starts the sandboxed unit of
 * a privilege. Starting that unit costs more than what most checks read, so requests of one privilege that are due together
 * share it: each is added, channels_send() sends what has been added, and veille-probe answers each in a process of its own
 * (docs/protocols.md), so that one that hangs holds up none of the others. Nothing here waits. */

#include "brain.h"

struct channel;

/* A line in answer to one's own request; NULL: it was no JSON object. The line is the channel's. */
typedef void (*channel_line_fn)(void *asked, const json_t *line);
/* Called once: no more lines will come. What has not ended by now never will, and this is why. */
typedef void (*channel_over_fn)(void *asked, enum verdict verdict, const char *why);

/* Adds a request (taken; an object of docs/protocols.md) of that check to a channel that is yet to be sent, or opens one. No
 * call-back is called from here. 0, or negative errno when no probe could be reached or started; the request is freed then,
 * too. *ret lives until on_over is called. */
int channel_add(struct brain *b, const struct check_desc *check, json_t *request, channel_line_fn on_line, channel_over_fn on_over,
                void *asked, struct channel **ret);

/* Whether a request of that privilege would be added to a channel that is there. */
bool channel_waits(const struct brain *b, enum privilege privilege);

/* Sends all that was added. What cannot be sent is over. */
void channels_send(void);

/* Ends the conversation, for all who asked: the probe is killed, or sees the connection closed and ends its children. */
void channel_over(struct channel *channel, enum verdict verdict, const char *why);

/* Ends all, without a call-back. */
void channels_drop(void);

#endif
