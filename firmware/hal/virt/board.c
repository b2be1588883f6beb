// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "board.h"

static void apply(struct qs1_vhw *vhw, const struct qs1_outputs *out)
{
	uint32_t ctl = out->inputs;

	if (out->bridge)
		ctl |= QS1_VHW_CTL_BRIDGE;
	if (out->relay)
		ctl |= QS1_VHW_CTL_RELAY;

	for (int i = 0; i < QS1_INPUTS; i++)
		qs1_shm_write(vhw->cmp_input[i], out->cmp_input[i]);
	qs1_shm_write(vhw->cmp_bridge, out->cmp_bridge);
	qs1_shm_write(vhw->ctl, ctl);
}

enum qs1_port_action qs1_board_idle(struct qs1_port *port)
{
	enum qs1_port_action action = qs1_shm_command(port);

	/* The doorbell is the counter itself: the board looks at it. */
	qs1_shm_ring(port);
	return action;
}

enum qs1_port_action qs1_board_step(struct qs1_vhw *vhw, struct qs1_port *port)
{
	struct qs1_samples in;
	struct qs1_outputs out;
	enum qs1_port_action action = qs1_board_idle(port);

	if (action != QS1_PORT_NONE)
		return action;

	for (int i = 0; i < QS1_ADC_COUNT; i++)
		in.adc[i] = qs1_shm_read(vhw->adc[i]);
	in.estop_n = qs1_shm_read(vhw->sense) & QS1_VHW_SENSE_ESTOP_N;

	qs1_shm_begin(port, &in);
	qs1_core_step(port->core, &in, &out);
	apply(vhw, &out);
	qs1_shm_end(port, &in);
	qs1_shm_ring(port);
	return QS1_PORT_NONE;
}
