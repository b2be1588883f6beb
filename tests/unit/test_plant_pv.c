// SPDX-License-Identifier: GPL-2.0-only
/* Modules against exact curves, published figures and their own derivatives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "module.h"
#include "pv.h"

#define BOLTZMANN 1.380649e-23
#define CHARGE 1.602176634e-19

static double text_double(struct json_object *array, size_t n)
{
	return strtod(json_object_get_string(json_object_array_get_idx(array, n)), NULL);
}

/* Exact curves and their parameters; tests run in the top folder. */
#define CURVES "tests/data/precise_iv_curves1.json"
#define PARAMETER_SETS "tests/data/precise_iv_curves_parameter_sets1.csv"

static double worst_of_curve(struct json_object *curve, const struct pv_diode *diode)
{
	struct json_object *v, *i;
	double worst = 0, vd = NAN;

	assert_true(json_object_object_get_ex(curve, "Voltages", &v));
	assert_true(json_object_object_get_ex(curve, "Currents", &i));
	for (size_t n = 0; n < json_object_array_length(v); n++) {
		struct pv_point p = pv_diode_solve(diode, text_double(v, n), &vd);

		worst = fmax(worst, fabs(p.i - text_double(i, n)));
	}
	return worst;
}

static void single_diode_is_exact_to_1e_9_a(void **state)
{
	struct json_object *file, *curves;
	char line[256];
	double worst = 0;
	int count = 0;
	FILE *sets;

	(void)state;
	file = json_object_from_file(CURVES);
	sets = fopen(PARAMETER_SETS, "r");
	assert_non_null(file);
	assert_non_null(sets);
	assert_true(json_object_object_get_ex(file, "IV Curves", &curves));
	assert_non_null(fgets(line, sizeof(line), sets));
	while (fgets(line, sizeof(line), sets)) {
		double il, i0, rs, rsh, n, cells;
		int index;

		assert_int_equal(sscanf(line, "%d,%lf,%lf,%lf,%lf,%lf,%lf", &index, &il, &i0, &rs,
					&rsh, &n, &cells),
				 7);
		struct pv_diode diode = { il, i0, n * cells * BOLTZMANN * 298.15 / CHARGE, rs,
					  1 / rsh };

		worst = fmax(worst,
			     worst_of_curve(json_object_array_get_idx(curves, (size_t)index - 1),
					    &diode));
		count++;
	}
	fclose(sets);
	json_object_put(file);
	print_message("# %d curves, worst error %.2e A\n", count, worst);
	assert_int_equal(count, 32);
	assert_true(worst < 1e-9);
}

static void source_at(struct pv_source *s, const struct pv_module *module, double light,
		      double cell_c)
{
	pv_source_init(s, module);
	s->light = light;
	s->cell_c = cell_c;
	pv_source_update(s);
}

static double open_circuit(struct pv_source *s)
{
	double lo = 0, hi = 80;

	while (hi - lo > 1e-6) {
		double v = (lo + hi) / 2;

		if (pv_source_solve(s, v).i > 0)
			lo = v;
		else
			hi = v;
	}
	return lo;
}

static void shipped_module_meets_its_data_sheet(void **state)
{
	struct pv_source s;
	double v, p;

	(void)state;
	source_at(&s, module_default(), 1000, 25);
	pv_source_mpp(&s, &v, &p);
	print_message("# LG400N2W-A5: %.2f W at %.2f V\n", p, v);
	assert_true(fabs(p - 400.3) < 0.2);
	assert_true(fabs(v - 40.6) < 0.3);
	/* Open circuit 49.3 V; -0.12818 V/K, which Adjust of 9.38 % makes -0.1402 V/K. */
	assert_true(fabs(open_circuit(&s) - 49.3) < 0.05);
	source_at(&s, module_default(), 1000, 35);
	v = open_circuit(&s);
	source_at(&s, module_default(), 1000, 15);
	print_message("# open-circuit voltage %.4f V/K\n", (v - open_circuit(&s)) / 20);
	assert_true(fabs((v - open_circuit(&s)) / 20 + 0.1402) < 0.0005);
}

static void en50530_model_gives_its_check_values(void **state)
{
	static const struct {
		bool thinfilm;
		double light, p, v;
	} row[] = {
		{ false, 20, 0.01539, 0.768 },	 { false, 100, 0.08992, 0.897 },
		{ false, 200, 0.18959, 0.946 },	 { false, 500, 0.49701, 0.992 },
		{ false, 1000, 0.99919, 0.997 }, { true, 20, 0.01630, 0.808 },
		{ true, 100, 0.09394, 0.931 },	 { true, 200, 0.19663, 0.974 },
		{ true, 500, 0.50808, 1.007 },	 { true, 1000, 1.00065, 0.992 },
	};
	struct pv_module module;
	struct pv_source s;
	double worst_p = 0, worst_v = 0;

	(void)state;
	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		double v, p;

		module_en50530(300, 37.5, row[n].thinfilm, &module);
		source_at(&s, &module, row[n].light, 25);
		pv_source_mpp(&s, &v, &p);
		worst_p = fmax(worst_p, fabs(p / 300 - row[n].p));
		worst_v = fmax(worst_v, fabs(v / 37.5 - row[n].v));
	}
	print_message("# EN 50530 check values: power within %.1e, voltage within %.1e\n", worst_p,
		      worst_v);
	assert_true(worst_p < 1.5e-5);
	assert_true(worst_v < 1e-3);
}

/* Kirchhoff's voltage law by an independent path: bisection of each section. */
static double section_u(const struct pv_diode *d, double i)
{
	double lo = -3, hi = 40;

	for (int n = 0; n < 200; n++) {
		double x = (lo + hi) / 2;
		double cells = d->il - d->i0 * expm1(x / d->a) - x * d->gsh;
		double u = x - d->rs * cells;
		double total = cells + 5.6e-6 * expm1(-u / 0.035);

		if (total > i)
			lo = x;
		else
			hi = x;
	}
	return lo - d->rs * (d->il - d->i0 * expm1(lo / d->a) - lo * d->gsh);
}

static void shaded_string_obeys_kirchhoff(void **state)
{
	struct pv_source s;

	(void)state;
	for (int shaded = 1; shaded <= 3; shaded++) {
		source_at(&s, module_default(), 900, 45);
		s.shaded = shaded;
		s.fraction = 0.6;
		pv_source_update(&s);
		for (double v = 2; v < 44; v += 1.7) {
			double i = pv_source_solve(&s, v).i;
			double u = (3 - shaded) * section_u(&s.section[0], i) +
				   shaded * section_u(&s.section[1], i);

			assert_true(fabs(u - v) < 1e-6);
		}
	}
}

static void slopes_are_the_derivatives(void **state)
{
	struct pv_source s;

	(void)state;
	for (int shaded = 0; shaded <= 2; shaded++) {
		source_at(&s, module_default(), 700, 30);
		s.shaded = shaded;
		s.fraction = 0.5;
		pv_source_update(&s);
		for (double v = 5; v < 47; v += 3.1) {
			const double h = 1e-3;
			struct pv_point p = pv_source_solve(&s, v);
			double up = pv_source_solve(&s, v + h).i;
			double down = pv_source_solve(&s, v - h).i;
			double di = (up - down) / (2 * h);
			double d2i = (up - 2 * p.i + down) / (h * h);

			assert_true(fabs(p.di - di) < 1e-4 * (1 + fabs(di)));
			assert_true(fabs(p.d2i - d2i) < 1e-3 * (1 + fabs(d2i)));
		}
	}
}

static void partial_shade_has_two_maxima(void **state)
{
	struct pv_source s;
	double v, p;

	(void)state;
	source_at(&s, module_default(), 1000, 25);
	s.shaded = 1;
	s.fraction = 0.7;
	pv_source_update(&s);
	pv_source_mpp(&s, &v, &p);
	/* Two lit sections: about two thirds of the power, less the bypass diode. */
	assert_true(v > 25 && v < 28);
	assert_true(p > 250 && p < 267);
	s.fraction = 0.2;
	pv_source_update(&s);
	pv_source_mpp(&s, &v, &p);
	assert_true(v > 38);
}

static void available_power_follows_light_to_1e_5(void **state)
{
	struct pv_source s;
	double worst = 0;

	(void)state;
	source_at(&s, module_default(), 300, 20);
	for (int n = 0; n < 3000; n++) {
		struct pv_source exact;
		double v, p;

		s.light = 300 + 0.2 * n;
		s.cell_c = 20 + 0.01 * n;
		pv_source_update(&s);
		source_at(&exact, module_default(), s.light, s.cell_c);
		pv_source_mpp(&exact, &v, &p);
		worst = fmax(worst, fabs(pv_source_available(&s) / p - 1));
	}
	print_message("# worst relative error %.2e\n", worst);
	assert_true(worst < 1e-5);
}

static void dark_or_absent_modules_give_nothing(void **state)
{
	struct pv_module module;
	struct pv_source s;

	(void)state;
	source_at(&s, module_default(), 0, 25);
	assert_true(pv_source_available(&s) == 0);
	assert_true(fabs(pv_source_solve(&s, 0).i) < 1e-9);
	assert_true(pv_source_solve(&s, 30).i < 0);
	module_en50530(300, 37.5, false, &module);
	source_at(&s, &module, 0, 25);
	assert_true(pv_source_available(&s) == 0);
	assert_true(pv_source_solve(&s, 30).i == 0);
	module_open(&module);
	source_at(&s, &module, 1000, 25);
	assert_true(pv_source_available(&s) == 0);
	assert_true(pv_source_solve(&s, 30).i == 0);
}

static void modules_are_found_by_name_or_not_at_all(void **state)
{
	struct pv_module module;
	char err[256];

	(void)state;
	assert_int_equal(module_find("LG400N2W-A5", &module, err, sizeof(err)), 0);
	assert_string_equal(module.name, MODULE_DEFAULT);
	assert_true(module_find("LG400N2W-A6", &module, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "LG400N2W-A6"));
	assert_true(module_find("o", &module, err, sizeof(err)) < 0);
	assert_true(module_read("/does/not/exist.csv", "x", &module, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "/does/not/exist.csv"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_diode_is_exact_to_1e_9_a),
		cmocka_unit_test(shipped_module_meets_its_data_sheet),
		cmocka_unit_test(en50530_model_gives_its_check_values),
		cmocka_unit_test(shaded_string_obeys_kirchhoff),
		cmocka_unit_test(slopes_are_the_derivatives),
		cmocka_unit_test(partial_shade_has_two_maxima),
		cmocka_unit_test(available_power_follows_light_to_1e_5),
		cmocka_unit_test(dark_or_absent_modules_give_nothing),
		cmocka_unit_test(modules_are_found_by_name_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
