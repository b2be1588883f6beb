/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Standard input and output, for programs that run on the host and, as they
 * are, in the PRU simulator.
 */
#ifndef QS1_PRU_SIM_H
#define QS1_PRU_SIM_H

#ifdef __PRU__
int sim_read(int fd, void *to, int bytes);
int sim_write(int fd, const void *from, int bytes);
#else
#include <unistd.h>
#define sim_read(fd, to, bytes) ((int)read(fd, to, bytes))
#define sim_write(fd, from, bytes) ((int)write(fd, from, bytes))
#endif

#endif /* QS1_PRU_SIM_H */
