// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of states, faults, causes and parameters, from the contract's tables.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "qs1.h"

/* clang-format off */
static const char *const qs1_states[] = {
#define X(id, name) \
	[QS1_STATE_##id] = name,
	QS1_STATES(X)
#undef X
};

static const char *const qs1_faults[] = {
#define X(id, ...) \
	[QS1_FAULT_##id] = #id,
	QS1_FAULTS(X)
#undef X
};

static const char *const qs1_causes[] = {
#define X(id, name) \
	[QS1_CAUSE_##id] = name,
	QS1_CAUSES(X)
#undef X
};

const struct qs1_param_desc qs1_param_desc[QS1_PARAM_COUNT] = {
#define X(id, pname, dec, dflt, lo, hi, ...) \
	[QS1_PARAM_##id] = { .name = pname, .decimals = dec, .def = dflt, .min = lo, .max = hi },
	QS1_PARAMS(X)
#undef X
};
EXPORT_SYMBOL_NS_GPL(qs1_param_desc, QS1_NS);
/* clang-format on */

/* Each returns "unknown" for a number that is not in its table. */
const char *qs1_state_name(u32 state)
{
	return state < ARRAY_SIZE(qs1_states) ? qs1_states[state] : "unknown";
}

const char *qs1_fault_name(u32 fault)
{
	return fault < ARRAY_SIZE(qs1_faults) ? qs1_faults[fault] : "unknown";
}

const char *qs1_cause_name(u32 cause)
{
	if (cause >= QS1_CAUSE_FAULT_BASE)
		return qs1_fault_name(cause - QS1_CAUSE_FAULT_BASE);
	return cause < ARRAY_SIZE(qs1_causes) ? qs1_causes[cause] : "unknown";
}

/* The fault's code, found by its name in any case, or -EINVAL. */
int qs1_fault_find(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(qs1_faults); i++)
		if (!strcasecmp(name, qs1_faults[i]))
			return i;
	return -EINVAL;
}
