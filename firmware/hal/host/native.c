// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "native.h"

#include <stdlib.h>

#include "board.h"

struct qs1_native {
	struct qs1_vhw *vhw;
	struct qs1_shm *shm;
	struct qs1_core *core;
	struct qs1_port port;
	bool stopped;
};

struct qs1_native *qs1_native_new(struct qs1_vhw *vhw)
{
	struct qs1_native *native = calloc(1, sizeof(*native));

	if (!native)
		return NULL;
	native->core = malloc(qs1_core_size());
	if (!native->core) {
		free(native);
		return NULL;
	}
	native->vhw = vhw;
	native->shm = (struct qs1_shm *)((char *)vhw + QS1_VHW_SHM_OFFSET);
	native->stopped = true;
	return native;
}

void qs1_native_free(struct qs1_native *native)
{
	if (!native)
		return;
	free(native->core);
	free(native);
}

void qs1_native_start(struct qs1_native *native)
{
	qs1_core_init(native->core);
	qs1_shm_init(&native->port, native->shm, native->core, QS1_BOARD_WAVE_LOG2,
		     QS1_VERSION "-native");
	native->stopped = false;
}

static void stop(struct qs1_native *native, uint32_t reason)
{
	qs1_shm_write(native->vhw->ctl, 0);
	qs1_shm_crash(native->shm, reason, 0);
	native->stopped = true;
}

/* Return: true unless the action is the end of it. */
static bool obey(struct qs1_native *native, enum qs1_port_action action)
{
	if (action == QS1_PORT_TRAP)
		stop(native, QS1_CRASH_COMMAND);
	else if (action == QS1_PORT_HANG)
		native->stopped = true;
	return !native->stopped;
}

void qs1_native_idle(struct qs1_native *native)
{
	if (!native->stopped)
		obey(native, qs1_board_idle(&native->port));
}

bool qs1_native_step(struct qs1_native *native)
{
	if (native->stopped || !obey(native, qs1_board_step(native->vhw, &native->port)))
		return false;
	qs1_shm_write(native->vhw->step_ack, qs1_shm_read(native->vhw->step_req));
	return true;
}

void qs1_native_crash(struct qs1_native *native)
{
	stop(native, QS1_CRASH_EXCEPTION);
}
