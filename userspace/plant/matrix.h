/* SPDX-License-Identifier: GPL-2.0-only */
/* Small square matrices, row by row. */
#ifndef QS1_PLANT_MATRIX_H
#define QS1_PLANT_MATRIX_H

#define MATRIX_MAX 20

/* matrix_exp() - replace @m, of @n rows up to MATRIX_MAX, by its exponential */
void matrix_exp(int n, double *m);

/**
 * matrix_invert() - replace @m, of @n rows up to MATRIX_MAX, by its inverse
 *
 * Return: 0, or -EDOM for a singular matrix.
 */
int matrix_invert(int n, double *m);

#endif /* QS1_PLANT_MATRIX_H */
