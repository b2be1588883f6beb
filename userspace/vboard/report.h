/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages on standard error. */
#ifndef QS1_VBOARD_REPORT_H
#define QS1_VBOARD_REPORT_H

/* "vboard: ..." on stderr */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* QS1_VBOARD_REPORT_H */
