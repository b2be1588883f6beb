// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grid profiles: any file is refused with a reason, or gives values that are in
 * range, in order, and the same when written and read again.
 */
#include "fuzz.h"
#include "profile.h"

static void check_again(const struct qs1_profile *profile)
{
	struct qs1_profile_reader reader;
	struct qs1_profile again;
	char err[QS1_PROFILE_ERR_SIZE];

	assert(qs1_profile_begin(&reader, profile->name, err, sizeof(err)) == 0);
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);
		char text[QS1_DECIMAL_SIZE];

		if (desc->group != QS1_PARAM_GROUP_PROFILE) {
			assert(profile->value[id] == 0);
			continue;
		}
		assert(profile->value[id] >= desc->min && profile->value[id] <= desc->max);
		qs1_decimal_format(text, profile->value[id], desc->decimals);
		assert(qs1_profile_value(&reader, id + 1, desc->name, text, err, sizeof(err)) == 0);
	}
	assert(qs1_profile_end(&reader, &again, err, sizeof(err)) == 0);
	assert(memcmp(again.value, profile->value, sizeof(again.value)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qs1_profile profile = { 0 };
	char err[QS1_PROFILE_ERR_SIZE] = "";

	if (qs1_profile_load(fuzz_file(data, size), &profile, err, sizeof(err)) == 0) {
		check_again(&profile);
	} else {
		assert(err[0] && profile.name[0] == '\0');
	}
	return 0;
}
