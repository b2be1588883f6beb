// SPDX-License-Identifier: GPL-2.0-or-later
/* PDF documents of a site, see documents.h. */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hpdf.h>
#include <qrencode.h>

#include "documents.h"
#include "report.h"
#include "util.h"

#define FONT_FILE "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
/* A4, in points of 1/72 inch. */
#define SHORT_SIDE 595.0f
#define LONG_SIDE 842.0f
#define MARGIN 36.0f
#define LINE 14.0f
#define TITLE_SIZE 16.0f
#define TEXT_SIZE 9.0f
#define SMALL_SIZE 5.0f
/* Quiet zone around a QR code, modules (ISO/IEC 18004, 9.1). */
#define QUIET 4
/* A label of the installation map. */
#define LABEL_W 62.0f
#define LABEL_H 30.0f
#define CELL_MAX 60.0f

/**
 * struct document - where the next line goes
 * @failed: for libharu's errors, which jump
 */
struct document {
	jmp_buf failed;
	HPDF_Doc pdf;
	HPDF_Page page;
	HPDF_Font font;
	float width;
	float height;
	float y;
};

static void on_error(HPDF_STATUS error, HPDF_STATUS detail, void *ctx)
{
	struct document *page = ctx;

	(void)detail;
	longjmp(page->failed, (int)(error ? error : 1));
}

static void new_page(struct document *page, bool landscape)
{
	page->page = HPDF_AddPage(page->pdf);
	HPDF_Page_SetSize(page->page, HPDF_PAGE_SIZE_A4,
			  landscape ? HPDF_PAGE_LANDSCAPE : HPDF_PAGE_PORTRAIT);
	page->width = landscape ? LONG_SIDE : SHORT_SIDE;
	page->height = landscape ? SHORT_SIDE : LONG_SIDE;
	page->y = page->height - MARGIN;
}

static void put_text(struct document *page, float x, float y, float size, const char *text)
{
	HPDF_Page_SetFontAndSize(page->page, page->font, size);
	HPDF_Page_BeginText(page->page);
	HPDF_Page_TextOut(page->page, x, y, text);
	HPDF_Page_EndText(page->page);
}

static void put_line(struct document *page, float size, const char *text)
{
	if (page->y < MARGIN + LINE) {
		new_page(page, page->width > page->height);
	}
	page->y -= size + 5;
	put_text(page, MARGIN, page->y, size, text);
}

/* A field: its name, and a value above a line. */
static void put_field(struct document *page, const char *name, const char *value)
{
	put_line(page, TEXT_SIZE, name);
	put_text(page, MARGIN + 130, page->y, TEXT_SIZE, value);
	HPDF_Page_SetLineWidth(page->page, 0.3f);
	HPDF_Page_MoveTo(page->page, MARGIN + 128, page->y - 2);
	HPDF_Page_LineTo(page->page, page->width - MARGIN, page->y - 2);
	HPDF_Page_Stroke(page->page);
}

/* A QR code of @side points at its lower left corner; with its quiet zone. */
static void put_code(struct document *page, float x, float y, float side, const char *text)
{
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_H, QR_MODE_8, 1);
	float module;

	if (!code) {
		on_error(HPDF_FAILD_TO_ALLOC_MEM, 0, page);
		return;
	}
	module = side / (float)(code->width + 2 * QUIET);
	HPDF_Page_SetRGBFill(page->page, 0, 0, 0);
	for (int row = 0; row < code->width; row++) {
		for (int column = 0; column < code->width; column++) {
			if (code->data[row * code->width + column] & 1) {
				HPDF_Page_Rectangle(page->page,
						    x + (float)(column + QUIET) * module,
						    y + side - (float)(row + 1 + QUIET) * module,
						    module, module);
			}
		}
	}
	HPDF_Page_Fill(page->page);
	QRcode_free(code);
}

static void put_head(struct document *page, const char *title, const struct document_site *site)
{
	put_line(page, TITLE_SIZE, title);
	page->y -= 4;
	put_field(page, "Site", site->name);
	put_field(page, "Address", site->address);
	put_field(page, "Owner", site->customer);
	put_field(page, "Installer", site->installer);
	put_field(page, "Installed on", site->installed_on);
	put_field(page, "ECU", site->ecus);
	page->y -= 6;
}

static int save(struct document *page, void **ret_bytes, size_t *ret_n)
{
	HPDF_UINT32 n;
	uint8_t *bytes;

	HPDF_SaveToStream(page->pdf);
	n = HPDF_GetStreamSize(page->pdf);
	bytes = malloc(n);
	if (!bytes) {
		return -ENOMEM;
	}
	HPDF_ReadFromStream(page->pdf, bytes, &n);
	*ret_bytes = bytes;
	*ret_n = n;
	return 0;
}

/* False after an error of the library. */
static bool begin(struct document *page)
{
	if (setjmp(page->failed)) {
		return false;
	}
	page->pdf = HPDF_New(on_error, page);
	HPDF_SetCompressionMode(page->pdf, HPDF_COMP_ALL);
	HPDF_UseUTFEncodings(page->pdf);
	HPDF_SetCurrentEncoder(page->pdf, "UTF-8");
	page->font = HPDF_GetFont(
		page->pdf, HPDF_LoadTTFontFromFile(page->pdf, FONT_FILE, HPDF_TRUE), "UTF-8");
	return true;
}

struct document *document_new(void)
{
	struct document *page = calloc(1, sizeof(*page));

	if (page && !begin(page)) {
		document_free(page);
		return NULL;
	}
	return page;
}

void document_free(struct document *page)
{
	if (page && page->pdf) {
		HPDF_Free(page->pdf);
	}
	free(page);
}

/* ---- installation map ---- */

static int member_int(struct json_object *object, const char *name, int missing)
{
	struct json_object *member = NULL;

	return json_object_object_get_ex(object, name, &member) ? json_object_get_int(member)
								: missing;
}

static bool member_bool(struct json_object *object, const char *name)
{
	struct json_object *member = NULL;

	return json_object_object_get_ex(object, name, &member) && json_object_get_boolean(member);
}

static const char *member_text(struct json_object *object, const char *name)
{
	const char *text = json_object_get_string(json_object_object_get(object, name));

	return text ? text : "";
}

static void draw_modules(struct document *page, struct json_object *map, float left, float top,
			 float cell)
{
	struct json_object *modules = json_object_object_get(map, "modules");

	for (size_t i = 0; modules && i < json_object_array_length(modules); i++) {
		struct json_object *module = json_object_array_get_idx(modules, i);
		const char *serial = member_text(module, "serial");
		float x = left + (float)member_int(module, "column", 0) * cell;
		float y = top - (float)(member_int(module, "row", 0) + 1) * cell;
		bool upright = member_bool(module, "upright");
		float w = upright ? cell * 0.62f : cell * 0.92f;
		float h = upright ? cell * 0.92f : cell * 0.62f;
		char text[24];

		HPDF_Page_SetLineWidth(page->page, 0.8f);
		HPDF_Page_Rectangle(page->page, x + (cell - w) / 2, y + (cell - h) / 2, w, h);
		HPDF_Page_Stroke(page->page);
		/* The last six digits tell the inverters of a site apart; the list has all. */
		snprintf(text, sizeof(text), "%s",
			 serial + (strlen(serial) > 6 ? strlen(serial) - 6 : 0));
		put_text(page, x + cell * 0.2f, y + cell * 0.5f, cell / 7, text);
		snprintf(text, sizeof(text), "in %d", member_int(module, "input", 0));
		put_text(page, x + cell * 0.2f, y + cell * 0.3f, cell / 7, text);
	}
}

static void draw_grid(struct document *page, int rows, int columns, float left, float top,
		      float cell)
{
	HPDF_Page_SetRGBStroke(page->page, 0.8f, 0.8f, 0.8f);
	HPDF_Page_SetLineWidth(page->page, 0.3f);
	for (int column = 0; column <= columns; column++) {
		HPDF_Page_MoveTo(page->page, left + (float)column * cell, top);
		HPDF_Page_LineTo(page->page, left + (float)column * cell, top - (float)rows * cell);
	}
	for (int row = 0; row <= rows; row++) {
		HPDF_Page_MoveTo(page->page, left, top - (float)row * cell);
		HPDF_Page_LineTo(page->page, left + (float)columns * cell, top - (float)row * cell);
	}
	HPDF_Page_Stroke(page->page);
	HPDF_Page_SetRGBStroke(page->page, 0, 0, 0);
	for (int column = 0; column < columns; column++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", column + 1);
		put_text(page, left + ((float)column + 0.4f) * cell, top + 2, SMALL_SIZE, text);
	}
}

/* A label as it was peeled off the inverter: its serial number in digits, and a code. */
static void draw_label(struct document *page, float x, float y, uint64_t serial)
{
	char text[ID_TEXT_SIZE];

	id_format(text, serial);
	HPDF_Page_SetLineWidth(page->page, 0.3f);
	HPDF_Page_Rectangle(page->page, x, y, 2 * LABEL_W, 2 * LABEL_H);
	HPDF_Page_Stroke(page->page);
	put_code(page, x + 1, y + 1, 2 * LABEL_H - 2, text);
	put_text(page, x + 2 * LABEL_H + 1, y + LABEL_H - 3, 7.5f, text);
}

static void draw_labels(struct document *page, const struct document_site *site)
{
	const float step_x = 2 * LABEL_W + 6;
	const float step_y = 2 * LABEL_H + 6;
	float x = MARGIN;

	new_page(page, true);
	put_line(page, TITLE_SIZE, "Inverters");
	page->y -= step_y;
	for (size_t i = 0; i < site->serial_count; i++) {
		if (x + step_x > page->width - MARGIN) {
			x = MARGIN;
			page->y -= step_y;
		}
		if (page->y < MARGIN) {
			new_page(page, true);
			page->y -= step_y;
		}
		draw_label(page, x, page->y, site->serials[i]);
		x += step_x;
	}
}

static void draw_map(struct document *page, const struct document_site *site)
{
	int rows = member_int(site->map, "rows", 10);
	int columns = member_int(site->map, "columns", 22);
	float cell;

	new_page(page, true);
	put_head(page, "Installation map", site);
	page->y -= 8;
	cell = (page->width - 2 * MARGIN) / (float)columns;
	if (cell * (float)rows > page->y - MARGIN) {
		cell = (page->y - MARGIN) / (float)rows;
	}
	if (cell > CELL_MAX) {
		cell = CELL_MAX;
	}
	draw_grid(page, rows, columns, MARGIN, page->y, cell);
	draw_modules(page, site->map, MARGIN, page->y, cell);
	if (site->serial_count > 0) {
		draw_labels(page, site);
	}
}

/* ---- cards ---- */

static void draw_serials(struct document *page, const struct document_site *site)
{
	char line[5 * (ID_TEXT_SIZE + 3)] = "";
	char text[ID_TEXT_SIZE];

	put_line(page, TEXT_SIZE + 2, "Inverters");
	for (size_t i = 0; i < site->serial_count; i++) {
		strcat(line, id_format(text, site->serials[i]));
		if (i % 5 == 4 || i + 1 == site->serial_count) {
			put_line(page, TEXT_SIZE, line);
			line[0] = '\0';
		} else {
			strcat(line, "   ");
		}
	}
}

static void draw_signatures(struct document *page)
{
	page->y -= 30;
	put_field(page, "Date", "");
	page->y -= 16;
	put_field(page, "Signature of the owner", "");
	page->y -= 16;
	put_field(page, "Signature of the installer", "");
}

static void draw_registration(struct document *page, const struct document_site *site)
{
	char text[40];

	new_page(page, false);
	put_head(page, "Registration card", site);
	snprintf(text, sizeof(text), "%zu", site->serial_count);
	put_field(page, "Number of inverters", text);
	draw_serials(page, site);
	draw_signatures(page);
}

static void draw_warranty(struct document *page, const struct document_site *site)
{
	char until[40] = "";
	char text[40];
	int year;

	new_page(page, false);
	put_head(page, "Warranty card", site);
	snprintf(text, sizeof(text), "%d years", site->warranty_years);
	put_field(page, "Warranty of the inverters", text);
	if (sscanf(site->installed_on, "%4d-", &year) == 1) {
		snprintf(until, sizeof(until), "%04d%s", year + site->warranty_years,
			 site->installed_on + 4);
	}
	put_field(page, "Valid until", until);
	draw_serials(page, site);
	draw_signatures(page);
}

/* ---- report of the commissioning ---- */

/*
 * Columns: heading, width in points, member of a check or of an inverter, decimals of a number.
 * A check is true, false, or null without an answer.
 */
static const struct {
	const char *heading;
	float width;
	const char *check;
	const char *member;
	int decimals;
} columns[] = {
	{ "Inverter", 78, NULL, "serial", 0 },
	{ "Name", 120, NULL, "name", 0 },
	{ "Phase", 46, NULL, "phase", 0 },
	{ "Seen", 36, "seen", NULL, 0 },
	{ "Producing", 52, "producing", NULL, 0 },
	{ "W", 40, NULL, "readings.power", 0 },
	{ "Voltage", 46, "voltage_in_range", NULL, 0 },
	{ "V", 40, NULL, "readings.grid_voltage", 1 },
	{ "Frequency", 54, "frequency_in_range", NULL, 0 },
	{ "Hz", 42, NULL, "readings.grid_frequency", 2 },
	{ "Profile", 46, "profile_as_wanted", NULL, 0 },
	{ "Profile in force", 120, NULL, "profile.actual", 0 },
};

/* A member by its path, as "readings.power"; NULL if absent. */
static struct json_object *member_at(struct json_object *object, const char *path)
{
	char copy[64], *rest = copy, *name;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((name = strsep(&rest, "."))) {
		if (!json_object_object_get_ex(object, name, &object)) {
			return NULL;
		}
	}
	return object;
}

/* Members of an array, 0 for anything else. */
static size_t count_at(struct json_object *object, const char *path)
{
	struct json_object *array = member_at(object, path);

	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static const char *cell_text(size_t column, struct json_object *check, struct json_object *inverter,
			     char *text, size_t size)
{
	struct json_object *value = columns[column].check
					    ? member_at(check, columns[column].check)
					    : member_at(inverter, columns[column].member);

	if (columns[column].check) {
		return !value ? "unknown" : json_object_get_boolean(value) ? "yes" : "NO";
	}
	if (json_object_is_type(value, json_type_string)) {
		return json_object_get_string(value);
	}
	snprintf(text, size, "%.*f", columns[column].decimals, json_object_get_double(value));
	return value ? text : "-";
}

/* One row; a text that is too long for its column is cut. */
static void put_row(struct document *page, struct json_object *check, struct json_object *inverter)
{
	float x = MARGIN;

	if (page->y < MARGIN + LINE) {
		new_page(page, true);
		put_row(page, NULL, NULL);
	}
	page->y -= LINE;
	HPDF_Page_SetFontAndSize(page->page, page->font, TEXT_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		char number[32], cell[64];
		const char *text = inverter ? cell_text(i, check, inverter, number, sizeof(number))
					    : columns[i].heading;
		HPDF_UINT fits = HPDF_Page_MeasureText(page->page, text, columns[i].width - 3,
						       HPDF_FALSE, NULL);

		snprintf(cell, sizeof(cell), "%.*s", (int)fits, text);
		put_text(page, x, page->y, TEXT_SIZE, cell);
		x += columns[i].width;
	}
	HPDF_Page_SetLineWidth(page->page, inverter ? 0.2f : 0.8f);
	HPDF_Page_MoveTo(page->page, MARGIN, page->y - 3);
	HPDF_Page_LineTo(page->page, x, page->y - 3);
	HPDF_Page_Stroke(page->page);
}

static void draw_report(struct document *page, const struct document_site *site)
{
	struct json_object *units = member_at(site->checks, "units");
	struct json_object *inverters = member_at(site->inverters, "inverters");
	size_t count = count_at(site->checks, "units");
	bool complete = count > 0 && count == count_at(site->inverters, "inverters") &&
			member_bool(site->checks, "complete");

	new_page(page, true);
	put_line(page, TITLE_SIZE, "Commissioning report");
	page->y -= 4;
	put_field(page, "Site", site->name);
	put_field(page, "ECU", site->ecus);
	put_field(page, "Made at", site->made_at);
	put_field(page, "Made by", site->made_by);
	put_field(page, "Result",
		  complete ? "complete: every inverter passes every check"
			   : "NOT complete: an inverter fails a check, or there is none");
	page->y -= 8;
	put_row(page, NULL, NULL);
	for (size_t i = 0; i < count && i < count_at(site->inverters, "inverters"); i++) {
		put_row(page, json_object_array_get_idx(units, i),
			json_object_array_get_idx(inverters, i));
	}
	draw_signatures(page);
}

/* ---- all documents ---- */

static const struct {
	const char *kind;
	void (*draw)(struct document *page, const struct document_site *site);
} kinds[] = {
	{ "installation-map", draw_map },
	{ "registration-card", draw_registration },
	{ "warranty-card", draw_warranty },
	{ "commissioning-report", draw_report },
};

static int draw(struct document *page, size_t kind, const struct document_site *site,
		void **ret_bytes, size_t *ret_n)
{
	if (setjmp(page->failed)) {
		return -ENOMEM;
	}
	kinds[kind].draw(page, site);
	return save(page, ret_bytes, ret_n);
}

int document_make(struct document *page, const char *kind, const struct document_site *site,
		  void **ret_bytes, size_t *ret_n)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].kind, kind) == 0) {
			return draw(page, i, site, ret_bytes, ret_n);
		}
	}
	return -EINVAL;
}
