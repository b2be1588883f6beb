// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The virtual board's Cortex-M4: its lock step with the board. */
#include <qs1/vhw.h>

#include "board.h"
#include "mps2.h"
#include "start.h"

#define VHW ((struct qs1_vhw *)QS1_VHW_DA)

/*
 * Polls before sleeping although the board does not rest: about a millisecond.
 * A board that stalls within a step rings again; one that died never does.
 */
#define POLLS_MAX 20000u

struct qs1_shm *const qs1_machine_shm = (struct qs1_shm *)(QS1_VHW_DA + QS1_VHW_SHM_OFFSET);

bool qs1_machine_spare(void)
{
	return false;
}

bool qs1_machine_init(void)
{
	mps2_doorbell_enable();
	return true;
}

void qs1_machine_off(void)
{
	qs1_shm_write(VHW->ctl, 0);
}

/* The doorbell is the counter itself: the board looks at it. */
void qs1_machine_ring(void)
{
}

/* Nothing to step: read the mailbox, and sleep when the board rests. */
static void idle(struct qs1_port *port, uint32_t *polls)
{
	bool rest = qs1_shm_read(VHW->rest);

	qs1_obey(qs1_board_idle(port));
	if (rest || (*polls)++ > POLLS_MAX) {
		mps2_doorbell_wait();
		*polls = 0;
	}
}

/* One control period for each step_req; asleep while the board rests. */
void qs1_machine_run(struct qs1_port *port)
{
	uint32_t done = qs1_shm_read(VHW->step_ack), asked, polls = 0;

	for (;;) {
		asked = qs1_shm_read(VHW->step_req);
		if (asked == done) {
			idle(port, &polls);
			continue;
		}

		polls = 0;
		qs1_shm_barrier();
		qs1_obey(qs1_board_step(VHW, port));
		qs1_check_stack();

		qs1_shm_barrier();
		done = asked;
		qs1_shm_write(VHW->step_ack, done);
	}
}
