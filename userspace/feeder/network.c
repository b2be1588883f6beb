// SPDX-License-Identifier: GPL-2.0-only
#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "matrix.h"

#define M NETWORK_POINTS

/* Legendre's polynomials on 0..1, coefficients of rising powers; P5 only for the points. */
static const double legendre[M + 1][M + 1] = {
	{ 1 },
	{ -1, 2 },
	{ 1, -6, 6 },
	{ -1, 12, -30, 20 },
	{ 1, -20, 90, -140, 70 },
	{ -1, 30, -210, 560, -630, 252 },
};

static const double factorial[M] = { 1, 1, 2, 6, 24 };

/**
 * struct basis - the polynomials of the voltage
 * @c: the points, on 0..1
 * @q: derivative k at the step's start of the polynomial through values at the points
 * @mass: integral of P_k l_j
 * @slope: integral of P_k l_j', plus P_k(0) l_j(0)
 * @colloc: inverse of the collocation's integration matrix
 * @power: coefficients a_k of sum a_k P_k, by point
 */
struct basis {
	double c[M];
	double q[M][M];
	double mass[M][M];
	double slope[M][M];
	double colloc[M][M];
	double power[M][M];
};

/* Roots of P5 - P4: from their first digits by Newton's method. */
static void points(double c[M])
{
	static const double near[M] = { 0.0571, 0.2768, 0.5836, 0.8602, 1 };

	for (int j = 0; j < M; j++) {
		c[j] = near[j];
		for (int n = 0; n < 8 && j < M - 1; n++) {
			double f = 0, df = 0, x = 1;

			for (int k = 0; k <= M; k++) {
				double a = legendre[M][k] - (k < M ? legendre[M - 1][k] : 0);
				double b =
					k < M ? (k + 1) * (legendre[M][k + 1] -
							   (k + 1 < M ? legendre[M - 1][k + 1] : 0))
					      : 0;

				f += a * x;
				df += b * x;
				x *= c[j];
			}
			c[j] -= f / df;
		}
	}
}

static void basis_init(struct basis *b)
{
	double integral[M][M];

	points(b->c);
	for (int j = 0; j < M; j++)
		for (int k = 0; k < M; k++)
			b->q[j][k] = pow(b->c[j], k) / factorial[k];
	matrix_invert(M, &b->q[0][0]);
	for (int k = 0; k < M; k++) {
		for (int j = 0; j < M; j++) {
			b->mass[k][j] = 0;
			b->slope[k][j] = legendre[k][0] * b->q[0][j];
			integral[k][j] = 0;
			/* l_j = sum of q[i][j] t^i / i! */
			for (int i = 0; i < M; i++) {
				double a = b->q[i][j] / factorial[i];

				for (int n = 0; n < M; n++) {
					b->mass[k][j] += legendre[k][n] * a / (n + i + 1);
					if (i > 0)
						b->slope[k][j] += legendre[k][n] * a * i / (n + i);
				}
				integral[k][j] += a * pow(b->c[k], i + 1) / (i + 1);
			}
			b->power[k][j] = (2 * k + 1) * b->mass[k][j];
		}
	}
	memcpy(b->colloc, integral, sizeof(integral));
	matrix_invert(M, &b->colloc[0][0]);
}

static const struct basis *basis(void)
{
	static struct basis b;
	static bool valid;

	if (!valid)
		basis_init(&b);
	valid = true;
	return &b;
}

/* Augmented system: states, held input, derivatives of the voltage, iterated integrals, charge. */
enum { AUG_HELD = NETWORK_STATES, AUG_Q, AUG_I = AUG_Q + M, AUG_CHARGE = AUG_I + M, AUG };

_Static_assert(AUG <= MATRIX_MAX, "the augmented system has to fit");

static void augment(const struct network_model *model, double h, double m[AUG][AUG])
{
	memset(m, 0, sizeof(double) * AUG * AUG);
	for (int i = 0; i < model->states; i++) {
		for (int j = 0; j < model->states; j++)
			m[i][j] = h * model->a[i][j];
		m[i][AUG_HELD] = h * model->held[i];
		m[i][AUG_Q] = h * model->volts[i];
		m[AUG_I][i] = model->amps[i];
	}
	m[AUG_I][AUG_Q] = model->siemens;
	for (int k = 0; k + 1 < M; k++) {
		m[AUG_Q + k][AUG_Q + k + 1] = 1;
		m[AUG_I + k + 1][AUG_I + k] = 1;
	}
	m[AUG_CHARGE][0] = model->states ? h : 0;
}

/* From derivatives of the voltage to its values at the points: a row of each. */
static double by_point(const double row[M], int j)
{
	double sum = 0;

	for (int k = 0; k < M; k++)
		sum += row[k] * basis()->q[k][j];
	return sum;
}

static void map_end(const struct network_model *model, double m[AUG][AUG], struct network_map *map)
{
	for (int r = 0; r < ROW_MOMENT; r++) {
		int i = r == ROW_CHARGE ? AUG_CHARGE : r;

		if (i < NETWORK_STATES && i >= model->states)
			continue;
		for (int j = 0; j < model->states; j++)
			map->in[j][r] = m[i][j];
		map->in[NETWORK_STATES][r] = m[i][AUG_HELD];
		for (int j = 0; j < M; j++)
			map->psi[j][r] = by_point(&m[i][AUG_Q], j);
	}
}

/*
 * The k-th iterated integral of the current i is the integral of (1 - t)^k / k! i, and
 * P_k(t) = (-1)^k P_k(1 - t).
 */
static void map_whole(const struct network_model *model, double h, struct network_map *map)
{
	double m[AUG][AUG];

	augment(model, h, m);
	matrix_exp(AUG, &m[0][0]);
	map_end(model, m, map);
	for (int k = 0; k < M; k++) {
		double row[AUG] = { 0 };

		for (int n = 0; n <= k; n++)
			for (int j = 0; j < AUG; j++)
				row[j] += (k & 1 ? -1 : 1) * legendre[k][n] * factorial[n] *
					  m[AUG_I + n][j];
		for (int j = 0; j < model->states; j++)
			map->in[j][ROW_MOMENT + k] = row[j];
		map->in[NETWORK_STATES][ROW_MOMENT + k] = row[AUG_HELD];
		for (int j = 0; j < M; j++)
			map->y[j][k] = by_point(&row[AUG_Q], j);
	}
}

static void map_part(const struct network_model *model, double h, struct network_map *map)
{
	const struct basis *b = basis();
	double m[AUG][AUG];

	for (int k = 0; k < M; k++) {
		double row[AUG] = { 0 };

		augment(model, h, m);
		for (int i = 0; i < AUG; i++)
			for (int j = 0; j < AUG; j++)
				m[i][j] *= b->c[k];
		matrix_exp(AUG, &m[0][0]);
		for (int i = 0; i < model->states; i++)
			for (int j = 0; j < AUG; j++)
				row[j] += model->amps[i] * m[i][j];
		for (int j = 0; j < M; j++)
			row[AUG_Q + j] += model->siemens * m[AUG_Q][AUG_Q + j];
		for (int j = 0; j < model->states; j++)
			map->in[j][ROW_MOMENT + k] = row[j];
		map->in[NETWORK_STATES][ROW_MOMENT + k] = row[AUG_HELD];
		for (int j = 0; j < M; j++)
			map->y[j][k] = by_point(&row[AUG_Q], j);
		if (k == NETWORK_END)
			map_end(model, m, map);
	}
}

/* Discontinuous Galerkin in a whole step, collocation in a part. */
static void map_capacitor(double c_h, enum network_kind kind, struct network_map *map)
{
	const struct basis *b = basis();

	for (int k = 0; k < M; k++) {
		double before = kind == NETWORK_WHOLE ? legendre[k][0] : 0;

		for (int j = 0; j < M; j++) {
			map->y[j][k] =
				c_h * (kind == NETWORK_WHOLE ? b->slope[k][j] : b->colloc[k][j]);
			before += kind == NETWORK_WHOLE ? 0 : b->colloc[k][j];
		}
		map->in[0][ROW_MOMENT + k] = -c_h * before;
	}
	map->psi[NETWORK_END][0] = 1;
}

void network_pair_init(struct network_pair *pair, const struct network_model *model, double h)
{
	memset(pair, 0, sizeof(*pair));
	pair->states = model->states;
	if (model->farad > 0) {
		pair->states = 1;
		map_capacitor(model->farad / h, NETWORK_WHOLE, &pair->map[NETWORK_WHOLE]);
		map_capacitor(model->farad * NETWORK_PARTS / h, NETWORK_PART,
			      &pair->map[NETWORK_PART]);
		return;
	}
	map_whole(model, h, &pair->map[NETWORK_WHOLE]);
	map_part(model, h / NETWORK_PARTS, &pair->map[NETWORK_PART]);
}

/* A block of 5 x 5, column by column. */
struct block {
	double col[M][M];
};

/* What a node or a point of it has. */
struct column {
	double at[M];
};

/**
 * struct factor - the blocks after elimination, for one kind of step
 * @diagonal: inverses, by node
 * @lower: A of a later node by the inverse, by edge
 * @upper: A of a later node, by edge
 */
struct factor {
	bool valid;
	struct block *diagonal, *lower, *upper;
};

/**
 * struct network
 * @place: order of elimination of each node; all that follows counts nodes in it
 * @first: of the edges from a node to those eliminated later, @nodes + 1 entries
 * @to: where an edge ends
 */
struct network {
	int nodes, elements;
	double h;
	struct network_element *element;
	bool ordered;
	bool changed;
	int *place;
	int *first;
	int *to;
	int edges;
	struct factor factor[NETWORK_KINDS];
	struct column *volts, *amps;
	double leaked;
};

struct network *network_new(int nodes, int elements, double h)
{
	struct network *net = calloc(1, sizeof(*net));

	if (!net)
		return NULL;
	*net = (struct network){ .nodes = nodes, .h = h };
	net->element = calloc((size_t)elements, sizeof(*net->element));
	net->place = calloc((size_t)nodes, sizeof(*net->place));
	net->first = calloc((size_t)nodes + 1, sizeof(*net->first));
	net->volts = calloc((size_t)nodes, sizeof(*net->volts));
	net->amps = calloc((size_t)nodes, sizeof(*net->amps));
	if (!net->element || !net->place || !net->first || !net->volts || !net->amps) {
		network_free(net);
		return NULL;
	}
	return net;
}

void network_free(struct network *net)
{
	if (!net)
		return;
	for (int k = 0; k < NETWORK_KINDS; k++) {
		free(net->factor[k].diagonal);
		free(net->factor[k].lower);
		free(net->factor[k].upper);
	}
	free(net->element);
	free(net->place);
	free(net->first);
	free(net->to);
	free(net->volts);
	free(net->amps);
	free(net);
}

int network_add(struct network *net, int a, int b)
{
	net->element[net->elements] =
		(struct network_element){ .a = a, .b = b, .twin = NETWORK_ALONE };
	return net->elements++;
}

struct network_element *network_element(struct network *net, int element)
{
	return &net->element[element];
}

static void change(struct network *net)
{
	net->changed = true;
	for (int k = 0; k < NETWORK_KINDS; k++)
		net->factor[k].valid = false;
}

void network_use(struct network *net, int element, const struct network_pair *maps)
{
	if (net->element[element].maps == maps)
		return;
	net->element[element].maps = maps;
	change(net);
}

void network_connect(struct network *net, int element, bool connected)
{
	if (net->element[element].connected == connected)
		return;
	net->element[element].connected = connected;
	change(net);
}

void network_couple(struct network *net, int a, int b, const struct network_pair *cross_a,
		    const struct network_pair *cross_b)
{
	net->element[a].twin = b;
	net->element[a].cross = cross_a;
	net->element[b].twin = a;
	net->element[b].cross = cross_b;
}

bool network_changed(const struct network *net)
{
	return net->changed;
}

/* Order of least degree: a tree from its leaves. Marks the edges that elimination adds. */
static void order(struct network *net, bool *edge)
{
	int n = net->nodes, *at = net->place;

	for (int i = 0; i < n; i++)
		at[i] = -1;
	for (int k = 0; k < n; k++) {
		int best = -1, least = n + 1;

		for (int i = 0; i < n; i++) {
			int degree = 0;

			for (int j = 0; j < n && at[i] < 0; j++)
				degree += edge[i * n + j] && at[j] < 0;
			if (at[i] < 0 && degree < least) {
				least = degree;
				best = i;
			}
		}
		at[best] = k;
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++)
				if (i != j && edge[best * n + i] && edge[best * n + j] &&
				    at[i] < 0 && at[j] < 0)
					edge[i * n + j] = true;
	}
}

/* The edges of the factors. Return: 0, or -1 without memory. */
static int build(struct network *net)
{
	int n = net->nodes;
	bool *edge = calloc((size_t)n * (size_t)n, sizeof(*edge));
	int *node = calloc((size_t)n, sizeof(*node));
	int ret = -1;

	if (!edge || !node)
		goto out;
	for (int e = 0; e < net->elements; e++) {
		const struct network_element *el = &net->element[e];
		const struct network_element *twin = el->twin < 0 ? el : &net->element[el->twin];
		const int at[] = { el->a, el->b, twin->a, twin->b };

		for (int i = 0; i < 4; i++)
			for (int j = 0; j < 4; j++)
				if (at[i] >= 0 && at[j] >= 0 && at[i] != at[j])
					edge[at[i] * n + at[j]] = true;
	}
	order(net, edge);
	for (int i = 0; i < n; i++)
		node[net->place[i]] = i;
	for (int pass = 0; pass < 2; pass++) {
		net->edges = 0;
		for (int k = 0; k < n; k++) {
			net->first[k] = net->edges;
			for (int j = k + 1; j < n; j++) {
				if (!edge[node[k] * n + node[j]])
					continue;
				if (pass)
					net->to[net->edges] = j;
				net->edges++;
			}
		}
		net->first[n] = net->edges;
		if (!pass)
			net->to = calloc((size_t)net->edges + 1, sizeof(*net->to));
		if (!net->to)
			goto out;
	}
	for (int k = 0; k < NETWORK_KINDS; k++) {
		struct factor *f = &net->factor[k];

		f->diagonal = calloc((size_t)n, sizeof(struct block));
		f->lower = calloc((size_t)net->edges + 1, sizeof(struct block));
		f->upper = calloc((size_t)net->edges + 1, sizeof(struct block));
		if (!f->diagonal || !f->lower || !f->upper)
			goto out;
	}
	net->ordered = true;
	ret = 0;
out:
	free(edge);
	free(node);
	return ret;
}

/* The block at row i, column j. */
static struct block *block_at(struct network *net, struct factor *f, int i, int j)
{
	int from = i < j ? i : j, to = i < j ? j : i;

	if (i == j)
		return &f->diagonal[i];
	for (int e = net->first[from]; e < net->first[from + 1]; e++)
		if (net->to[e] == to)
			return i < j ? &f->upper[e] : &f->lower[e];
	return NULL;
}

static void block_add(struct block *block, const double y[M][M], double factor)
{
	for (int j = 0; j < M; j++)
		for (int k = 0; k < M; k++)
			block->col[j][k] += factor * y[j][k];
}

/* c -= a b */
static void block_subtract(struct block *c, const struct block *a, const struct block *b)
{
	for (int j = 0; j < M; j++)
		for (int n = 0; n < M; n++)
			for (int k = 0; k < M; k++)
				c->col[j][k] -= a->col[n][k] * b->col[j][n];
}

static int place(const struct network *net, int node)
{
	return node < 0 ? node : net->place[node];
}

/* Currents of the terminal pair @to for voltages of the pair @from. */
static void add_element(struct network *net, struct factor *f, const struct network_element *to,
			const struct network_element *from, const double y[M][M])
{
	const int row[2] = { place(net, to->a), place(net, to->b) };
	const int column[2] = { place(net, from->a), place(net, from->b) };

	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++)
			if (row[i] >= 0 && column[j] >= 0)
				block_add(block_at(net, f, row[i], column[j]), y, i == j ? 1 : -1);
}

static void assemble(struct network *net, enum network_kind kind, struct factor *f)
{
	const struct basis *b = basis();

	memset(f->diagonal, 0, (size_t)net->nodes * sizeof(struct block));
	memset(f->lower, 0, (size_t)net->edges * sizeof(struct block));
	memset(f->upper, 0, (size_t)net->edges * sizeof(struct block));
	for (int i = 0; i < net->nodes; i++)
		for (int j = 0; j < M; j++)
			for (int k = 0; k < M; k++)
				f->diagonal[i].col[j][k] =
					NETWORK_LEAK_S *
					(kind == NETWORK_WHOLE ? b->mass[k][j] : j == k);
	for (int e = 0; e < net->elements; e++) {
		const struct network_element *el = &net->element[e];

		if (!el->connected)
			continue;
		add_element(net, f, el, el, el->maps->map[kind].y);
		if (el->twin >= 0)
			add_element(net, f, el, &net->element[el->twin], el->cross->map[kind].y);
	}
}

static void factorise(struct network *net, enum network_kind kind)
{
	struct factor *f = &net->factor[kind];

	assemble(net, kind, f);
	for (int k = 0; k < net->nodes; k++) {
		/* The inverse of the transpose is the transpose of the inverse. */
		matrix_invert(M, &f->diagonal[k].col[0][0]);
		for (int e = net->first[k]; e < net->first[k + 1]; e++) {
			struct block product = { 0 };

			block_subtract(&product, &f->lower[e], &f->diagonal[k]);
			for (int j = 0; j < M; j++)
				for (int i = 0; i < M; i++)
					f->lower[e].col[j][i] = -product.col[j][i];
		}
		for (int e = net->first[k]; e < net->first[k + 1]; e++)
			for (int g = net->first[k]; g < net->first[k + 1]; g++)
				block_subtract(block_at(net, f, net->to[e], net->to[g]),
					       &f->lower[e], &f->upper[g]);
	}
	f->valid = true;
}

/* y -= block x */
static inline void column_subtract(struct column *y, const struct block *block,
				   const struct column *x)
{
	for (int j = 0; j < M; j++)
		for (int k = 0; k < M; k++)
			y->at[k] -= block->col[j][k] * x->at[j];
}

static void solve(struct network *net, const struct factor *f)
{
	for (int k = 0; k < net->nodes; k++)
		for (int e = net->first[k]; e < net->first[k + 1]; e++)
			column_subtract(&net->amps[net->to[e]], &f->lower[e], &net->amps[k]);
	for (int k = net->nodes - 1; k >= 0; k--) {
		struct column sum = net->amps[k], v = { 0 };

		for (int e = net->first[k]; e < net->first[k + 1]; e++)
			column_subtract(&sum, &f->upper[e], &net->volts[net->to[e]]);
		for (int j = 0; j < M; j++)
			for (int i = 0; i < M; i++)
				v.at[i] += f->diagonal[k].col[j][i] * sum.at[j];
		net->volts[k] = v;
	}
}

/* What an element does without a voltage at its terminals: states and the current's moments. */
static inline void drive(struct network *net, struct network_element *el,
			 const struct network_map *map, double from, double length)
{
	const double *c = basis()->c;
	double out[ROWS];

	for (int r = 0; r < ROWS; r++)
		out[r] = map->in[NETWORK_STATES][r] * el->held;
	for (int j = 0; j < el->maps->states; j++)
		for (int r = 0; r < ROWS; r++)
			out[r] += map->in[j][r] * el->x[j];
	for (int j = 0; j < M && el->emf; j++) {
		double emf = el->emf0 + (el->emf1 - el->emf0) * (from + length * c[j]);

		el->u[j] = -emf;
		for (int k = 0; k < M; k++)
			out[ROW_MOMENT + k] -= map->y[j][k] * emf;
	}
	memcpy(el->out, out, sizeof(out));
	if (el->a >= 0)
		for (int k = 0; k < M; k++)
			net->amps[net->place[el->a]].at[k] -= out[ROW_MOMENT + k];
	if (el->b >= 0)
		for (int k = 0; k < M; k++)
			net->amps[net->place[el->b]].at[k] += out[ROW_MOMENT + k];
}

static inline double between_nodes(const struct network *net, const struct network_element *el,
				   int j)
{
	return (el->a >= 0 ? net->volts[net->place[el->a]].at[j] : 0) -
	       (el->b >= 0 ? net->volts[net->place[el->b]].at[j] : 0);
}

static inline void follow(const struct network *net, struct network_element *el,
			  enum network_kind kind)
{
	const struct network_map *map = &el->maps->map[kind];
	double x[ROW_MOMENT];

	for (int j = 0; j < M; j++)
		el->u[j] = (el->emf ? el->u[j] : 0) + between_nodes(net, el, j);
	for (int r = 0; r < ROW_MOMENT; r++)
		x[r] = el->out[r];
	for (int j = 0; j < M; j++)
		for (int r = 0; r < ROW_MOMENT; r++)
			x[r] += map->psi[j][r] * el->u[j];
	for (int j = 0; j < M && el->twin >= 0; j++) {
		double u = between_nodes(net, &net->element[el->twin], j);

		for (int r = 0; r < ROW_MOMENT; r++)
			x[r] += el->cross->map[kind].psi[j][r] * u;
	}
	memcpy(el->x, x, sizeof(el->x));
	el->charge = x[ROW_CHARGE];
}

static void step(struct network *net, enum network_kind kind, double from, double length)
{
	if (!net->ordered && build(net))
		abort();
	if (!net->factor[kind].valid)
		factorise(net, kind);
	memset(net->amps, 0, (size_t)net->nodes * sizeof(*net->amps));
	for (int e = 0; e < net->elements; e++) {
		struct network_element *el = &net->element[e];

		if (el->connected)
			drive(net, el, &el->maps->map[kind], from, length);
	}
	solve(net, &net->factor[kind]);
	for (int e = 0; e < net->elements; e++) {
		struct network_element *el = &net->element[e];

		if (el->connected)
			follow(net, el, kind);
	}
	for (int n = 0; n < net->nodes; n++) {
		double v = net->volts[n].at[NETWORK_END];

		net->leaked += NETWORK_LEAK_S * v * v * net->h * length;
	}
}

void network_step(struct network *net)
{
	step(net, NETWORK_WHOLE, 0, 1);
	net->changed = false;
}

void network_part(struct network *net, int part)
{
	step(net, NETWORK_PART, (double)part / NETWORK_PARTS, 1.0 / NETWORK_PARTS);
	if (part == NETWORK_PARTS - 1)
		net->changed = false;
}

double network_taken(const struct network *net, int element)
{
	const struct network_element *el = &net->element[element];
	const struct network_map *map = &el->maps->map[NETWORK_WHOLE];
	const struct basis *b = basis();
	double sum = 0;

	for (int k = 0; k < M && el->connected; k++) {
		double moment = el->out[ROW_MOMENT + k], part = 0;

		for (int j = 0; j < M; j++) {
			double at_nodes = el->u[j];

			if (el->emf)
				at_nodes += el->emf0 + (el->emf1 - el->emf0) * b->c[j];
			/* @out has the emf's part already. */
			moment += map->y[j][k] * at_nodes;
			if (el->twin >= 0)
				moment += el->cross->map[NETWORK_WHOLE].y[j][k] *
					  net->element[el->twin].u[j];
			part += b->power[k][j] * at_nodes;
		}
		sum += part * moment;
	}
	return net->h * sum;
}

double network_volts(const struct network *net, int node)
{
	return node < 0 ? 0 : net->volts[net->place[node]].at[NETWORK_END];
}

double network_leaked(const struct network *net)
{
	return net->leaked;
}
