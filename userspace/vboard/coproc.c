// SPDX-License-Identifier: GPL-2.0-only
#include "coproc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lib/clock.h"
#include "report.h"
#include "shm.h"

/* Check of RAM and image included, on a machine with other things to do. */
#define BOOT_NS 5000000000ll

/* VTOR ignores the lower seven bits (ARMv7-M B3.2.5). */
#define VECTOR_ALIGN 128u

const char *coproc_state_name(const struct coproc *coproc)
{
	switch (coproc->memory->vhw->coproc_state) {
	case QS1_VHW_COPROC_RUNNING:
		return "running";
	case QS1_VHW_COPROC_WATCHDOG:
		return "watchdog";
	default:
		return "reset";
	}
}

static void set_state(struct coproc *coproc, uint32_t state)
{
	qs1_shm_write(coproc->memory->vhw->coproc_state, state);
	coproc->booting = state == QS1_VHW_COPROC_RUNNING;
	coproc->posted = false;
	coproc->silent = 0;
	coproc->out = (struct qs1_outputs){ 0 };
}

static int reset(struct coproc *coproc)
{
	struct qs1_vhw *vhw = coproc->memory->vhw;
	char err[256];
	int ret = 0;

	if (!coproc->native)
		ret = m4_reset(&coproc->m4, err, sizeof(err));
	if (ret)
		report("coprocessor reset: %s", err);
	coproc->hung = false;
	set_state(coproc, QS1_VHW_COPROC_RESET);

	/* Reset values of the output registers. */
	qs1_shm_write(vhw->ctl, 0);
	memset(vhw->cmp_input, 0, sizeof(vhw->cmp_input));
	qs1_shm_write(vhw->cmp_bridge, 0);
	qs1_shm_write(vhw->step_ack, vhw->step_req);
	return ret;
}

static void start(struct coproc *coproc)
{
	const uint32_t lowest = QS1_VHW_DA + QS1_VHW_FW_OFFSET;
	const uint32_t highest = QS1_VHW_DA + QS1_VHW_SIZE - VECTOR_ALIGN;
	struct qs1_vhw *vhw = coproc->memory->vhw;
	uint32_t boot_da = qs1_shm_read(vhw->boot_da);

	if (boot_da < lowest || boot_da > highest || boot_da % VECTOR_ALIGN) {
		report("coprocessor not started: boot_da 0x%08x, expected a multiple of %u from "
		       "0x%08x to 0x%08x",
		       boot_da, VECTOR_ALIGN, lowest, highest);
		return;
	}
	coproc->starts++;
	if (!coproc->native)
		m4_favour(&coproc->m4, coproc->realtime);
	coproc->boot_deadline_ns = clock_ns(CLOCK_MONOTONIC) + BOOT_NS;
	set_state(coproc, QS1_VHW_COPROC_RUNNING);
	if (coproc->native)
		qs1_native_start(coproc->native);
	else
		m4_wake(&coproc->m4);
}

void coproc_control(struct coproc *coproc)
{
	struct qs1_vhw *vhw = coproc->memory->vhw;
	uint32_t request = qs1_shm_read(vhw->coproc_request);

	if (request == vhw->coproc_ack || !coproc->connected)
		return;

	/* A start always is from reset: the firmware may be half dead. */
	qs1_shm_barrier();
	if (vhw->coproc_state == QS1_VHW_COPROC_RESET || !reset(coproc)) {
		if (qs1_shm_read(vhw->run))
			start(coproc);
	}
	qs1_shm_barrier();
	qs1_shm_write(vhw->coproc_ack, request);
	coproc->changed(coproc->ctx);
}

static bool running(const struct coproc *coproc)
{
	return coproc->memory->vhw->coproc_state == QS1_VHW_COPROC_RUNNING;
}

void coproc_wake(struct coproc *coproc)
{
	if (coproc->native || !running(coproc))
		return;
	qs1_shm_write(coproc->memory->vhw->rest, 0);
	qs1_shm_barrier();
	m4_wake(&coproc->m4);
}

void coproc_mailbox(struct coproc *coproc)
{
	if (!running(coproc))
		return;
	if (!coproc->native)
		m4_wake(&coproc->m4);
	else if (!coproc->hung)
		qs1_native_idle(coproc->native);
}

void coproc_rest(struct coproc *coproc)
{
	qs1_shm_write(coproc->memory->vhw->rest, 1);
}

static void post(struct qs1_vhw *vhw, const int16_t adc[QS1_ADC_COUNT])
{
	memcpy(vhw->adc, adc, sizeof(vhw->adc));
	qs1_shm_barrier();
	qs1_shm_write(vhw->step_req, vhw->step_req + 1);
}

/* What the output registers say; the timers compare, so a value beyond them saturates. */
static void read_outputs(struct coproc *coproc)
{
	const struct qs1_vhw *vhw = coproc->memory->vhw;
	uint32_t ctl = qs1_shm_read(vhw->ctl);
	struct qs1_outputs *out = &coproc->out;
	int bridge = qs1_shm_read(vhw->cmp_bridge);

	for (int i = 0; i < QS1_INPUTS; i++) {
		uint16_t cmp = qs1_shm_read(vhw->cmp_input[i]);

		out->cmp_input[i] = cmp < QS1_PWM_INPUT_PERIOD ? cmp : QS1_PWM_INPUT_PERIOD;
	}
	if (bridge > QS1_PWM_BRIDGE_HALF)
		bridge = QS1_PWM_BRIDGE_HALF;
	else if (bridge < -QS1_PWM_BRIDGE_HALF)
		bridge = -QS1_PWM_BRIDGE_HALF;
	out->cmp_bridge = (int16_t)bridge;
	out->inputs = ctl & 0xf;
	out->bridge = ctl & QS1_VHW_CTL_BRIDGE;
	out->relay = ctl & QS1_VHW_CTL_RELAY;
}

static void expire_watchdog(struct coproc *coproc)
{
	coproc->watchdogs++;
	/* It may be spinning: not with priority over everything else. */
	if (!coproc->native)
		m4_favour(&coproc->m4, false);
	set_state(coproc, QS1_VHW_COPROC_WATCHDOG);
	coproc->changed(coproc->ctx);
}

/* One more period without an answer: the gates keep their state until the watchdog expires. */
static void count_silence(struct coproc *coproc)
{
	coproc->silent++;
	read_outputs(coproc);
	if (coproc->silent > COPROC_WATCHDOG_PERIODS)
		expire_watchdog(coproc);
}

/* Return: true once the firmware has answered its first step. */
static bool booted(struct coproc *coproc, const int16_t adc[QS1_ADC_COUNT])
{
	struct qs1_vhw *vhw = coproc->memory->vhw;

	if (coproc->native) {
		coproc->booting = false;
		return true;
	}
	if (!coproc->posted) {
		coproc->posted = true;
		post(vhw, adc);
		coproc_wake(coproc);
	}
	if (qs1_shm_read(vhw->step_ack) == vhw->step_req) {
		qs1_shm_barrier();
		coproc->booting = false;
		return true;
	}
	if (clock_ns(CLOCK_MONOTONIC) > coproc->boot_deadline_ns)
		expire_watchdog(coproc);
	return false;
}

static int answer(struct coproc *coproc)
{
	if (!coproc->native)
		return m4_wait(&coproc->m4, coproc->look, coproc->ctx);
	if (coproc->hung || !qs1_native_step(coproc->native))
		return -ETIMEDOUT;
	return 0;
}

void coproc_step(struct coproc *coproc, const int16_t adc[QS1_ADC_COUNT])
{
	int ret;

	if (!running(coproc) || (coproc->booting && !booted(coproc, adc)))
		return;
	if (coproc->silent) {
		count_silence(coproc);
		return;
	}

	post(coproc->memory->vhw, adc);
	ret = answer(coproc);
	if (!ret)
		read_outputs(coproc);
	coproc->look(coproc->ctx);
	if (ret == -EINTR)
		coproc_control(coproc);
	else if (ret)
		count_silence(coproc);
}

int coproc_fault(struct coproc *coproc, const char *word, char *err, size_t size)
{
	int ret = 0;

	if (strcmp(word, "crash") && strcmp(word, "hang") && strcmp(word, "off")) {
		snprintf(err, size, "expected crash, hang or off, found \"%s\"", word);
		return -EINVAL;
	}
	if (!strcmp(word, "off")) {
		if (!coproc->native && coproc->connected)
			ret = m4_resume(&coproc->m4, err, size);
		if (!ret)
			coproc->hung = false;
		return ret;
	}
	if (!running(coproc) || coproc->silent) {
		snprintf(err, size, "the coprocessor is not running (%s)",
			 coproc_state_name(coproc));
		return -EBUSY;
	}
	if (!strcmp(word, "hang")) {
		if (!coproc->native)
			ret = m4_hang(&coproc->m4, err, size);
		coproc->hung = !ret;
		return ret;
	}
	if (coproc->native) {
		qs1_native_crash(coproc->native);
		return 0;
	}
	return m4_crash(&coproc->m4, err, size);
}
