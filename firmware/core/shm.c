// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The firmware's end of the shared memory.
 *
 * No libc, no division. The host relies on the order of the writes: payload,
 * barrier, index.
 */
#include "shm.h"

/* Ring if the snapshot differs in a flag or fault that the host may wait for. */
static void ring_for(struct qs1_port *port, uint32_t status, uint32_t active, uint32_t latched)
{
	status &= QS1_STATUS_RINGS;
	if (status != port->status || active != port->faults_active ||
	    latched != port->faults_latched)
		port->ring = true;
	port->status = status;
	port->faults_active = active;
	port->faults_latched = latched;
}

static void publish_telemetry(struct qs1_port *port)
{
	struct qs1_telemetry *telemetry = &port->shm->telemetry;

	qs1_shm_write(telemetry->seq, port->telemetry_seq + 1);
	qs1_shm_barrier();
	qs1_core_telemetry(port->core, telemetry);
	qs1_shm_barrier();
	port->telemetry_seq += 2;
	qs1_shm_write(telemetry->seq, port->telemetry_seq);
	ring_for(port, telemetry->status, telemetry->faults_active, telemetry->faults_latched);
}

static void publish_param(struct qs1_port *port, uint32_t id)
{
	qs1_shm_write(port->shm->param[id], qs1_core_param(port->core, id));
}

static void publish_params(struct qs1_port *port)
{
	for (uint32_t id = 0; id < QS1_PARAM_COUNT; id++)
		publish_param(port, id);
}

static void publish_event(struct qs1_port *port)
{
	struct qs1_event event, *slot;
	uint32_t seq;

	if (!qs1_core_event(port->core, &event))
		return;

	seq = event.seq;
	slot = &port->shm->events.event[seq % QS1_EVENTS];
	qs1_shm_write(slot->seq, 0);
	qs1_shm_barrier();
	event.seq = 0;
	event.reserved = 0;
	*slot = event;
	qs1_shm_barrier();
	qs1_shm_write(slot->seq, seq);
	qs1_shm_write(port->shm->events.head, seq);
	port->ring = true;
}

static void publish_scan(struct qs1_port *port, const struct qs1_samples *in)
{
	struct qs1_wave_ring *wave = &port->shm->wave;
	uint32_t watermark = qs1_shm_read(port->shm->host.wave_watermark);

	qs1_core_scan(port->core, in, &wave->scan[port->wave_head & port->wave_mask]);
	qs1_shm_barrier();
	port->wave_head++;
	qs1_shm_write(wave->head, port->wave_head);

	port->wave_pending++;
	if (watermark && port->wave_pending >= watermark) {
		port->wave_pending = 0;
		port->ring = true;
	}
}

bool qs1_shm_permitted(const struct qs1_port *port)
{
	return qs1_shm_read(port->shm->host.gpio_out) & QS1_GPIO_ENABLE;
}

bool qs1_shm_waits(const struct qs1_port *port)
{
	return qs1_shm_read(port->shm->command.seq) != port->command_seq;
}

/* Each member is read once: the host may write at any time. */
bool qs1_shm_take(struct qs1_port *port)
{
	struct qs1_command *command = &port->shm->command;
	struct qs1_taken *taken = &port->taken;
	int32_t value;

	taken->seq = qs1_shm_read(command->seq);
	if (taken->seq == port->command_seq)
		return false;

	qs1_shm_barrier();
	taken->op = qs1_shm_read(command->op);
	taken->arg = qs1_shm_read(command->arg);
	value = qs1_shm_read(command->value);

	taken->ret = 0;
	if (taken->op == QS1_OP_ARM && !qs1_shm_permitted(port))
		taken->result = QS1_ERR_STATE;
	else if (taken->op != QS1_OP_CRASH)
		taken->result =
			qs1_core_command(port->core, taken->op, taken->arg, value, &taken->ret);
	else
		taken->result = taken->arg > 1 ? QS1_ERR_ARG : QS1_OK;
	return true;
}

enum qs1_port_action qs1_shm_answer(struct qs1_port *port)
{
	const struct qs1_taken *taken = &port->taken;
	struct qs1_reply *reply = &port->shm->reply;
	bool done = taken->result == QS1_OK;

	if (done && taken->op == QS1_OP_SET_PARAM)
		publish_param(port, taken->arg);
	else if (done && taken->op == QS1_OP_PROFILE_COMMIT)
		publish_params(port);

	qs1_shm_write(reply->result, taken->result);
	qs1_shm_write(reply->value, taken->ret);
	qs1_shm_barrier();
	qs1_shm_write(reply->seq, taken->seq);
	port->command_seq = taken->seq;
	port->ring = true;
	if (!done || taken->op != QS1_OP_CRASH)
		return QS1_PORT_NONE;
	return taken->arg ? QS1_PORT_HANG : QS1_PORT_TRAP;
}

enum qs1_port_action qs1_shm_command(struct qs1_port *port)
{
	return qs1_shm_take(port) ? qs1_shm_answer(port) : QS1_PORT_NONE;
}

static void clear(volatile uint32_t *words, uint32_t bytes)
{
	for (; bytes; bytes -= sizeof(*words))
		*words++ = 0;
}

void qs1_shm_init(struct qs1_port *port, struct qs1_shm *shm, struct qs1_core *core,
		  unsigned int wave_log2, const char *version)
{
	uint32_t boots = qs1_shm_read(shm->fw.boots);

	/* The contract is invalid until all of it is initialised. */
	qs1_shm_write(shm->fw.magic, 0);
	qs1_shm_barrier();
	clear((volatile uint32_t *)&shm->fw, sizeof(shm->fw));
	clear((volatile uint32_t *)&shm->reply, sizeof(shm->reply));
	clear((volatile uint32_t *)&shm->telemetry, sizeof(shm->telemetry));
	clear((volatile uint32_t *)shm->param, sizeof(shm->param));
	clear((volatile uint32_t *)&shm->events, sizeof(shm->events));
	clear((volatile uint32_t *)&shm->wave, sizeof(shm->wave));

	*port = (struct qs1_port){
		.shm = shm,
		.core = core,
		.telemetry_left = QS1_TELEMETRY_TICKS,
		.wave_mask = (1u << wave_log2) - 1,
		/* A command for the previous firmware is not for this one. */
		.command_seq = qs1_shm_read(shm->command.seq),
	};

	for (uint32_t i = 0; version[i] && i < sizeof(shm->fw.version) - 1; i++)
		shm->fw.version[i] = version[i];
	shm->fw.layout_version = QS1_LAYOUT_VERSION;
	shm->fw.control_hz = QS1_CONTROL_HZ;
	shm->fw.wave_log2 = wave_log2;
	shm->fw.boots = boots + 1;
	shm->reply.seq = port->command_seq;
	publish_params(port);
	publish_telemetry(port);
	qs1_shm_barrier();
	qs1_shm_write(shm->fw.magic, QS1_MAGIC);
	port->ring = true;
}

void qs1_shm_read_host(const struct qs1_port *port, struct qs1_samples *in)
{
	const struct qs1_host *host = &port->shm->host;

	in->host_heartbeat = qs1_shm_read(host->heartbeat);
	if (!(qs1_shm_read(host->gpio_out) & QS1_GPIO_ESTOP_N))
		in->estop_n = false;
}

void qs1_shm_begin(struct qs1_port *port, struct qs1_samples *in)
{
	int32_t ret;

	qs1_shm_read_host(port, in);
	if (!qs1_shm_permitted(port))
		qs1_core_command(port->core, QS1_OP_DISARM, 0, 0, &ret);
}

void qs1_shm_end(struct qs1_port *port, const struct qs1_samples *in)
{
	publish_scan(port, in);
	publish_event(port);

	port->ticks++;
	qs1_shm_write(port->shm->fw.alive, port->ticks);

	port->telemetry_left--;
	if (!port->telemetry_left) {
		port->telemetry_left = QS1_TELEMETRY_TICKS;
		publish_telemetry(port);
	}
}

bool qs1_shm_ring(struct qs1_port *port)
{
	if (!port->ring)
		return false;

	port->ring = false;
	port->doorbell++;
	qs1_shm_barrier();
	qs1_shm_write(port->shm->fw.doorbell, port->doorbell);
	return true;
}

void qs1_shm_crash(struct qs1_shm *shm, uint32_t reason, uint32_t pc)
{
	qs1_shm_write(shm->fw.crash_pc, pc);
	qs1_shm_write(shm->fw.crash_reason, reason);
	qs1_shm_barrier();
	qs1_shm_write(shm->fw.doorbell, qs1_shm_read(shm->fw.doorbell) + 1);
}
