/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events in the log. In systemd's journal each has fields:
 * QS1_EVENT (kind), QS1_SOURCE, QS1_NUMBER, and where they apply
 * QS1_CAUSE, QS1_FROM, QS1_TO, QS1_VALUE. So `journalctl QS1_EVENT=trip` finds
 * all trips, and `-o json` has them as data.
 */
#ifndef QS1D_JOURNAL_H
#define QS1D_JOURNAL_H

#include "events.h"

/* Log an event, as a message and, in the journal, as fields. */
void journal_event(const struct event *event);

#endif /* QS1D_JOURNAL_H */
