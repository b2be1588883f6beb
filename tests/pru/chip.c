// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the firmware of both PRUs on a model of the chip: two PRUs with their
 * memories, the converters on PRU0's pins, timers, GPIO lines, reserved memory. A
 * recording (userspace/sim/trace.h) gives samples and commands. In each period the
 * state of timers and relay and the contract are compared with a reference: the
 * same core and port on the host. The reference runs a slow task only when PRU1
 * has completed it, so that tasks deferred by PRU0 are deferred in both.
 *
 *	chip PRU0.elf PRU1.elf WRITE [FAULT] < recording
 *
 * WRITE: cycles for each word of a long burst out of the PRUSS. Prints measured
 * times. FAULT begins after 0.1 s. PRU0 must stop on "memory" (writes to PRU1's
 * instruction memory fail), "hang" (PRU1 stops) and "converters" (conversions do
 * not start). "sample" changes one bit of a sample for the PRUs alone, which must
 * show as a difference. "disable": after 2.5 s Linux releases the enable line,
 * which must disarm both.
 *
 * Exit status: 0, 1 where something differs, 2 where an argument or the recording
 * is wrong.
 */
#include <elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate.h"
#include "converters.h"
#include "cpu.h"
#include "io.h"
#include "map.h"
#include "pair.h"
#include "regs.h"
#include "state.h"
#include "trace.h"

#define PERIOD_CYCLES 10000
#define PERIOD_COUNTS 5000
#define CONVERSION_CYCLES 830 /* 4.15 us, the longest */
#define LATE_CYCLES 200
#define BUSY_CYCLES 9 /* 45 ns until it is seen */
#define DDR AM335X_CONTRACT
#define DDR_BYTES AM335X_CONTRACT_BYTES
#define PAIR_ANSWER 0x2010 /* qs1_pair and qs1_ask as PRU1 has them */
#define PAIR_LATE (0x10 + 4)
#define PAIR_HELD (0x10 + 8)
#define PAIR_BEHIND (0x10 + 12)
#define ASK 0x4

static struct cpu cpu[2];
static uint8_t data[2][8192], shared[12288], ddr[DDR_BYTES];
static uint64_t write_cycles, outside_busy;
static uint8_t *in_flight; /* the last burst into PRU1's instruction memory */
static unsigned int in_flight_bytes;

/* Registers that hold what is written, of the firmware and of the reference. */
#define REGISTERS 64
#define FAULT_PERIODS 2000
#define DISABLE_PERIODS 50000
static struct registers {
	uint32_t address[REGISTERS];
	uint32_t value[REGISTERS];
	int used;
} found, expected;

static struct converters {
	uint32_t r30;
	int16_t channel[QS1_ADC_COUNT];
	uint64_t start;
	int bit;
} both = { .start = -1ull };

/* Time from the period's beginning, in cycles. */
static struct {
	uint64_t begun; /* the last period whose flag was taken */
	unsigned int periods;
	struct {
		unsigned int periods;
		unsigned int held;
		unsigned int conversion_max;
		unsigned int outputs_max;
		uint64_t outputs_sum;
	} slot[QS1_TICKS_PER_MS];
	unsigned int disarmed; /* the last period in which the core was armed */
	unsigned int held;
	unsigned int made_up;
	unsigned int late;	   /* samples later than LATE_CYCLES */
	unsigned int outputs_late; /* after the period's end */
	uint64_t words;
	bool run[2][CPU_INSTRUCTIONS]; /* instructions of each PRU */
} seen;

static enum {
	NO_FAULT,
	FAULT_MEMORY,
	FAULT_HANG,
	FAULT_CONVERTERS,
	FAULT_SAMPLE,
	FAULT_DISABLE
} fault;
static uint64_t fault_time;

static struct trace_step record;
static bool recorded;
static bool estop_n = true, stopped;
static unsigned int slow_done; /* slow tasks that PRU1 has done in this period */

/* The reference. */
static struct qs1_core core;
static struct qs1_port port;
static struct qs1_pwm pwm;
static struct qs1_shm *reference;
static struct qs1_samples samples;
static struct qs1_calibration calibration; /* of PRU0's image */

__attribute__((noreturn, format(printf, 1, 2))) static void differ(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	fprintf(stderr, "period %u, slot %u: ", seen.periods, core.slot);
	vfprintf(stderr, format, list);
	fprintf(stderr, "\n");
	va_end(list);
	exit(1);
}

__attribute__((noreturn)) static void wrong(const char *what)
{
	fprintf(stderr, "chip: %s\n", what);
	exit(2);
}

static uint32_t *reg(struct registers *set, uint32_t address)
{
	int i = 0;

	while (i < set->used && set->address[i] != address)
		i++;
	if (i == set->used) {
		if (i == REGISTERS)
			wrong("too many registers");
		set->address[set->used++] = address;
	}
	return &set->value[i];
}

/* Lines have a level, which two registers change. */
static void write_to(struct registers *set, uint32_t address, uint32_t value)
{
	if (address == qs1_pru_map.relay.set)
		*reg(set, qs1_pru_map.relay.in) |= value;
	else if (address == qs1_pru_map.relay.clear)
		*reg(set, qs1_pru_map.relay.in) &= ~value;
	else
		*reg(set, address) = value;
}

/* firmware/hal/ti/io.h, for the reference */
uint32_t qs1_io_read32(uint32_t address)
{
	return *reg(&expected, address);
}

uint16_t qs1_io_read16(uint32_t address)
{
	return (uint16_t)*reg(&expected, address);
}

void qs1_io_write32(uint32_t address, uint32_t value)
{
	write_to(&expected, address, value);
}

void qs1_io_write16(uint32_t address, uint16_t value)
{
	write_to(&expected, address, value);
}

static int fault_now(void)
{
	return seen.periods < FAULT_PERIODS || fault >= FAULT_SAMPLE ? NO_FAULT : fault;
}

/* Pins of PRU0. */

uint32_t pins_read(struct cpu *c)
{
	uint64_t since = c->time - both.start;
	uint32_t in = 0;

	if (c->number)
		return 0;
	if (fault_now() == FAULT_CONVERTERS)
		return in;
	if (both.start != -1ull && since >= BUSY_CYCLES && since < CONVERSION_CYCLES)
		in |= AM335X_BUSY;
	if (both.r30 & AM335X_CS_N || both.bit >= 64)
		return in;
	return in | converters_lines(both.channel, both.bit);
}

static void begin_period(uint64_t time);
static void end_period(uint64_t time);
static void answered(uint32_t turn);

void pins_write(struct cpu *c, uint32_t value)
{
	uint32_t up = value & ~both.r30, down = both.r30 & ~value;

	if (c->number)
		return;
	both.r30 = value;
	if (up & AM335X_CONVST)
		begin_period(c->time);
	if (down & AM335X_CS_N)
		both.bit = 0;
	if ((up & AM335X_SCLK) && !(value & AM335X_CS_N))
		both.bit++;
	if ((up | down) & AM335X_ALIVE)
		end_period(c->time);
}

void event_write(struct cpu *c, uint32_t value)
{
	(void)c;
	if (value != AM335X_PULSE(AM335X_EVENT_FIRMWARE))
		differ("event %#x", value);
}

/* Memories and registers. */

static bool is_timer(uint32_t address)
{
	return address >= AM335X_PWMSS0 && address < AM335X_PWMSS2 + 0x1000;
}

#define BRIDGE (AM335X_PWMSS1 + AM335X_EPWM)
#define BRIDGE_TBSTS (BRIDGE + 0x02)
#define BRIDGE_TBCTR (BRIDGE + 0x08)
#define BRIDGE_ETFLG (BRIDGE + 0x36)
#define BRIDGE_ETCLR (BRIDGE + 0x38)

static uint32_t read_register(struct cpu *c, uint32_t address)
{
	uint32_t counter = c->time % PERIOD_CYCLES / 2;

	if (address == BRIDGE_ETFLG)
		return c->time / PERIOD_CYCLES > seen.begun;
	if (address == BRIDGE_TBSTS)
		return counter < PERIOD_COUNTS / 2;
	if (address == BRIDGE_TBCTR)
		return counter < PERIOD_COUNTS / 2 ? counter : PERIOD_COUNTS - counter;
	if (address == qs1_pru_map.estop_n.in)
		return estop_n ? qs1_pru_map.estop_n.mask : 0;
	return *reg(&found, address);
}

static void write_register(struct cpu *c, uint32_t address, uint32_t value)
{
	if (address == BRIDGE_ETCLR)
		seen.begun = c->time / PERIOD_CYCLES;
	write_to(&found, address, value);
}

/* PRU1's control register: no reset, no write to its memory (pru.md). */
static void write_control(struct cpu *c, uint32_t value)
{
	struct cpu *one = &cpu[1];

	if (!(value & 1)) {
		one->fresh = true;
		one->pc = value >> 16;
		one->loop_left = 0;
	}
	one->running = value & AM335X_PRU_ENABLE;
	if (one->running) {
		/* What is under way to its memory finds it running. */
		if (outside_busy > c->time && in_flight)
			memset(in_flight, 0xff, in_flight_bytes);
		one->fresh = false;
		one->time = c->time;
	}
}

/* PRU0's own: the cycle counter, which is cleared while it does not count. */
static uint64_t counts_since, counted;
static bool counting;

static uint32_t cycles_counted(const struct cpu *c)
{
	return (uint32_t)(counting ? c->time - counts_since : counted);
}

static void write_counter(struct cpu *c, uint32_t address, uint32_t value)
{
	counted = cycles_counted(c);
	if (address == AM335X_PRU0_CYCLE) {
		if (counting || value)
			differ("the cycle counter is not cleared so");
		counted = 0;
	} else {
		counting = value & AM335X_PRU_COUNT;
		c->running = value & AM335X_PRU_ENABLE;
		if (!(value & AM335X_PRU_NO_RESET))
			differ("PRU0 resets itself");
	}
	counts_since = c->time - counted;
}

/* A place in a memory of the chip, NULL where there is none. */
static uint8_t *memory(const struct cpu *c, uint32_t address, unsigned int count)
{
	if (address + count <= 0x2000)
		return &data[c->number][address];
	if (address >= 0x2000 && address + count <= 0x4000)
		return &data[!c->number][address - 0x2000];
	if (address >= 0x10000 && address + count <= 0x13000)
		return &shared[address - 0x10000];
	return NULL;
}

static unsigned int words(uint32_t address, unsigned int count)
{
	return ((address & 3) + count + 3) / 4;
}

/* Outside of the PRUSS one access follows the other. */
static void outside(struct cpu *c, uint64_t cycles)
{
	if (outside_busy > c->time)
		c->time = outside_busy;
	outside_busy = c->time + cycles;
}

void bus_read(struct cpu *c, uint32_t address, uint8_t *bytes, unsigned int count)
{
	const uint8_t *from = memory(c, address, count);
	uint32_t value, latency = 34;

	if (from) {
		memcpy(bytes, from, count);
		c->time += 1 + words(address, count);
		return;
	}
	if (address == AM335X_PRU0_CYCLE && !c->number) {
		value = cycles_counted(c);
		memcpy(bytes, &value, count);
		c->time += 3;
		return;
	}
	if (address == AM335X_SYSCFG) {
		memset(bytes, 0, count);
		c->time += 2;
		return;
	}
	outside(c, 0);
	if (address >= DDR && address + count <= DDR + DDR_BYTES) {
		memcpy(bytes, ddr + (address - DDR), count);
		latency = 43;
	} else if (address >= AM335X_PRU1_IRAM && address + count <= AM335X_PRU1_IRAM + 0x2000) {
		memcpy(bytes, (uint8_t *)cpu[1].instruction + (address - AM335X_PRU1_IRAM), count);
		latency = 41;
	} else {
		value = read_register(c, address);
		memcpy(bytes, &value, count);
		latency = is_timer(address) || address >> 12 == AM335X_GPIO0 >> 12 ? 38 : 34;
	}
	c->time += latency - 2 + words(address, count);
}

void bus_write(struct cpu *c, uint32_t address, const uint8_t *bytes, unsigned int count)
{
	uint8_t *to = memory(c, address, count);
	uint32_t value = 0;

	if (to) {
		memcpy(to, bytes, count);
		c->time += words(address, count);
		if (c->number && address == PAIR_ANSWER) {
			memcpy(&value, &data[1][ASK], sizeof(value));
			answered(value & QS1_ASK_TURN);
		}
		return;
	}
	if (!c->number && (address == AM335X_PRU0_CTRL || address == AM335X_PRU0_CYCLE)) {
		memcpy(&value, bytes, count);
		c->time++;
		write_counter(c, address, value);
		return;
	}
	if (address == AM335X_SYSCFG || address == AM335X_PRU1_CTRL) {
		memcpy(&value, bytes, count);
		c->time++;
		if (address == AM335X_PRU1_CTRL && !c->number)
			write_control(c, value);
		return;
	}
	outside(c, write_cycles * words(address, count));
	c->time += words(address, count);
	if (address >= DDR && address + count <= DDR + DDR_BYTES) {
		memcpy(ddr + (address - DDR), bytes, count);
	} else if (address >= AM335X_PRU1_IRAM && address + count <= AM335X_PRU1_IRAM + 0x2000) {
		seen.words += words(address, count);
		if (cpu[1].fresh && !cpu[1].running && fault_now() != FAULT_MEMORY) {
			in_flight = (uint8_t *)cpu[1].instruction + (address - AM335X_PRU1_IRAM);
			in_flight_bytes = count;
			memcpy(in_flight, bytes, count);
		}
	} else if (is_timer(address) || address >> 12 == AM335X_GPIO0 >> 12 ||
		   address >> 12 == AM335X_GPIO2 >> 12) {
		memcpy(&value, bytes, count);
		write_register(c, address, value);
	} else {
		differ("PRU%d at %#x writes to %#x", c->number, 4 * c->pc, address);
	}
}

/* The section that qs1ctl writes. */
static void take_calibration(const uint8_t *file)
{
	const Elf32_Ehdr *elf = (const Elf32_Ehdr *)file;
	const Elf32_Shdr *section = (const Elf32_Shdr *)(file + elf->e_shoff);
	const char *names = (const char *)file + section[elf->e_shstrndx].sh_offset;

	for (int i = 0; i < elf->e_shnum; i++)
		if (!strcmp(names + section[i].sh_name, ".calibration"))
			memcpy(&calibration, file + section[i].sh_offset, sizeof(calibration));
}

/* As remoteproc does: code to the instruction memory, all else as the PRU has it. */
static void load(struct cpu *c, const char *path)
{
	static uint8_t file[1 << 20];
	FILE *in = fopen(path, "rb");
	size_t size = in ? fread(file, 1, sizeof(file), in) : 0;
	const Elf32_Ehdr *elf = (const Elf32_Ehdr *)file;
	const Elf32_Phdr *segment = (const Elf32_Phdr *)(file + elf->e_phoff);

	if (in)
		fclose(in);
	if (size < sizeof(*elf) || memcmp(elf->e_ident, ELFMAG, SELFMAG))
		wrong("no firmware");
	for (int i = 0; i < elf->e_phnum; i++, segment++) {
		uint32_t address = segment->p_paddr & 0x0fffffff, bytes = segment->p_filesz;
		uint8_t *to = segment->p_flags & PF_X ? (uint8_t *)c->instruction + address
						      : memory(c, address, bytes);

		if (!bytes)
			continue;
		if (!to || (segment->p_flags & PF_X && address + bytes > sizeof(c->instruction)))
			wrong("a segment has no memory");
		memcpy(to, file + segment->p_offset, bytes);
	}
	if (!c->number)
		take_calibration(file);
}

static struct qs1_shm *contract(void)
{
	return (struct qs1_shm *)ddr;
}

/* The recording. */

static bool take(void *to, size_t size)
{
	return fread(to, 1, size, stdin) == size;
}

static void put_command(const struct trace_command *command)
{
	struct qs1_shm *shm[] = { contract(), reference };

	for (int i = 0; i < 2; i++) {
		shm[i]->command.op = command->op;
		shm[i]->command.arg = command->arg;
		shm[i]->command.value = command->value;
		shm[i]->command.seq++;
	}
}

static struct trace_command waiting[256];
static unsigned int head, tail;

/* The next period's samples; commands that come before it wait. */
static void next_record(void)
{
	int kind;

	while ((kind = getchar()) == TRACE_COMMAND) {
		struct trace_command *command = &waiting[head++ % 256];

		if (!take((uint8_t *)command + 1, sizeof(*command) - 1) || head - tail > 256)
			wrong("commands");
	}
	recorded = kind == TRACE_STEP && take((uint8_t *)&record + 1, sizeof(record) - 1);
	if (kind != EOF && !recorded)
		wrong("no step");
}

/* What Linux says, between two looks of the port; a command, when the last is done. */
static void linux_says(void)
{
	if (tail != head && reference->reply.seq == reference->command.seq)
		put_command(&waiting[tail++ % 256]);
	contract()->host.heartbeat = reference->host.heartbeat = record.heartbeat;
	if (fault == FAULT_DISABLE && seen.periods >= DISABLE_PERIODS)
		contract()->host.gpio_out = reference->host.gpio_out = QS1_GPIO_ESTOP_N;
}

static void read_host(void)
{
	samples.estop_n = true;
	qs1_shm_read_host(&port, &samples);
}

/* All that Linux sees. */
static void compare_contract(void)
{
	const uint8_t *a = ddr, *b = (const uint8_t *)reference;
	size_t size = offsetof(struct qs1_shm, wave.scan);
	uint32_t last = (port.wave_head - 1) & port.wave_mask;

	for (size_t k = 0; k < size; k++)
		if (a[k] != b[k])
			differ("contract at %#zx: %02x, expected %02x", k, a[k], b[k]);
	if (memcmp(&contract()->wave.scan[last], &reference->wave.scan[last],
		   sizeof(struct qs1_scan)))
		differ("scan");
}

static unsigned int offset_of(uint64_t time)
{
	/* From the period whose flag was taken; in the first ones the timers have not been
	 * started. */
	return (unsigned int)(time - seen.begun * PERIOD_CYCLES);
}

static void begin_period(uint64_t time)
{
	unsigned int offset = offset_of(time);

	if (!recorded) {
		stopped = true;
		return;
	}
	if (seen.periods && offset > seen.slot[core.slot].conversion_max)
		seen.slot[core.slot].conversion_max = offset;
	seen.late += seen.periods && offset > LATE_CYCLES;
	memcpy(both.channel, record.adc, sizeof(both.channel));
	both.channel[0] ^= fault == FAULT_SAMPLE && seen.periods == FAULT_PERIODS;
	both.start = time;
	estop_n = record.estop_n;
}

/* The reference's slow task, when PRU1 has done it. */
void __real_qs1_slot(struct qs1_core *of, uint32_t n);
void __wrap_qs1_slot(struct qs1_core *of, uint32_t n);
void __wrap_qs1_slot(struct qs1_core *of, uint32_t n)
{
	if (!slow_done) {
		of->slot--;
		seen.held++;
		seen.slot[n].held++;
		return;
	}
	__real_qs1_slot(of, n);
	while (--slow_done) {
		__real_qs1_slot(of, ++of->slot);
		seen.made_up++;
	}
}

/* PRU0 has applied the outputs: the reference catches up. */
static void end_period(uint64_t time)
{
	unsigned int offset = offset_of(time);
	uint32_t slot = core.slot;
	struct qs1_outputs out;

	if (fault_now())
		return;
	if (offset > seen.slot[slot].outputs_max)
		seen.slot[slot].outputs_max = offset;
	seen.slot[slot].outputs_sum += offset;
	seen.slot[slot].periods++;
	seen.outputs_late += offset > PERIOD_CYCLES;
	memcpy(samples.adc, record.adc, sizeof(samples.adc));
	qs1_calibrate(&calibration, samples.adc);
	samples.estop_n = samples.estop_n && estop_n;
	next_record();
	qs1_core_step(&core, &samples, &out);
	qs1_pwm_apply(&pwm, &out);
	qs1_line_set(&qs1_pru_map.relay, out.relay);
	for (int i = 0; i < expected.used; i++)
		if (*reg(&found, expected.address[i]) != expected.value[i])
			differ("register %#x: %#x, expected %#x", expected.address[i],
			       *reg(&found, expected.address[i]), expected.value[i]);
	seen.periods++;
	if (core.fsm.armed)
		seen.disarmed = seen.periods;
}

/* PRU1 has done something: so does the reference, and Linux sees the same. */
static void answered(uint32_t turn)
{
	if (fault_now() || turn == QS1_TURN_START)
		return;
	switch (turn) {
	case QS1_TURN_PORT:
	case QS1_TURN_TELEMETRY:
		if (turn == QS1_TURN_TELEMETRY)
			port.telemetry_left = 1;
		else if (port.telemetry_left == 1)
			port.telemetry_left = 2;
		qs1_shm_end(&port, &samples);
		qs1_shm_ring(&port);
		read_host();
		break;
	case QS1_TURN_COMMAND:
		qs1_shm_take(&port);
		break;
	case QS1_TURN_DISARM:
		qs1_fsm_arm(&core, false);
		break;
	case QS1_TURN_REPLY:
		if (qs1_shm_answer(&port) != QS1_PORT_NONE)
			wrong("a command that ends it all");
		qs1_shm_ring(&port);
		break;
	default:
		if (turn != core.slot + slow_done)
			differ("PRU1 has done slot %u", turn);
		slow_done++;
		return;
	}
	compare_contract();
	if (turn == QS1_TURN_PORT || turn == QS1_TURN_TELEMETRY)
		linux_says();
}

static void begin(void)
{
	struct trace_header header;

	if (!take(&header, sizeof(header)) || header.layout_version != QS1_LAYOUT_VERSION)
		wrong("no recording");
	reference = calloc(1, DDR_BYTES);
	contract()->host.gpio_out = reference->host.gpio_out = QS1_GPIO_ENABLE | QS1_GPIO_ESTOP_N;
	next_record();
	linux_says();
	qs1_core_init(&core);
	qs1_shm_init(&port, reference, &core, QS1_PAIR_WAVE_LOG2, QS1_VERSION);
	port.telemetry_left += QS1_PAIR_SLOT + 1;
	qs1_shm_ring(&port);
	read_host();
	qs1_pwm_init(&pwm, &qs1_pru_map.pwm);
	/* Only what an output of the core changes. */
	expected.used = 0;
}

static void report(void)
{
	unsigned int run = 0, all = 0;
	uint32_t late, held, behind;

	for (int n = 0; n < CPU_INSTRUCTIONS; n++) {
		run += seen.run[0][n];
		all += cpu[0].instruction[n] != 0;
	}

	memcpy(&late, &data[0][PAIR_LATE], sizeof(late));
	memcpy(&held, &data[0][PAIR_HELD], sizeof(held));
	memcpy(&behind, &data[0][PAIR_BEHIND], sizeof(behind));
	if (held != seen.held || behind != held - seen.made_up)
		differ("%u slow tasks held, %u made up for; counted %u, %u behind", seen.held,
		       seen.made_up, held, behind);
	printf("periods %u, %s\n", seen.periods,
	       calibration.magic ? "calibrated" : "without calibration");
	printf("words loaded in a millisecond %.0f\n",
	       (double)seen.words * QS1_TICKS_PER_MS / seen.periods);
	printf("slot  conversion at the most  outputs on average, at the most   held\n");
	for (int n = 0; n < QS1_TICKS_PER_MS; n++)
		printf("%4d  %22u  %19.0f  %11u  %5u\n", n, seen.slot[n].conversion_max,
		       (double)seen.slot[n].outputs_sum /
			       (seen.slot[n].periods | !seen.slot[n].periods),
		       seen.slot[n].outputs_max, seen.slot[n].held);
	printf("instructions of PRU0 that have run: %u of %u\n", run, all);
	printf("samples late %u, outputs late %u, of which PRU0 knows %u\n", seen.late,
	       seen.outputs_late, late);
	printf("armed until period %u\n", seen.disarmed);
	printf("slow tasks held %u, made up for %u\n", held, seen.made_up);
}

/* PRU0 has stopped: everything is off, and Linux can see why. */
static int report_stop(void)
{
	for (int n = 0; n < 3; n++) {
		uint32_t epwm = AM335X_PWMSS0 + 0x2000u * (uint32_t)n + AM335X_EPWM;

		if (*reg(&found, epwm + 0x30) != 4)
			differ("ePWM %d is not tripped", n);
	}
	if (*reg(&found, qs1_pru_map.relay.in) & qs1_pru_map.relay.mask)
		differ("the relay is closed");
	if (contract()->fw.crash_reason != QS1_CRASH_ASSERT)
		differ("no crash report for Linux");
	printf("stopped %llu cycles after the fault\n",
	       (unsigned long long)(cpu[0].time - fault_time));
	return 0;
}

static void set_fault(const char *name)
{
	static const char *const names[] = {
		"", "memory", "hang", "converters", "sample", "disable"
	};

	for (int n = FAULT_MEMORY; n <= FAULT_DISABLE; n++)
		if (!strcmp(name, names[n]))
			fault = n;
	if (!fault)
		wrong("no such fault");
}

/* One instruction of the PRU that is behind. */
static void step(void)
{
	struct cpu *next = &cpu[cpu[1].running && cpu[1].time < cpu[0].time];

	seen.run[next->number][next->pc % CPU_INSTRUCTIONS] = true;
	if (fault_now() && !fault_time)
		fault_time = cpu[0].time;
	if (next->number && fault_now() == FAULT_HANG)
		next->time += PERIOD_CYCLES;
	else if (!cpu_step(next))
		differ("PRU%d at %#x: no instruction", next->number, 4 * next->pc);
}

/* Which instructions have run: "PRU address", a line each. */
static void list_run(const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		wrong(path);
	for (int n = 0; n < 2; n++)
		for (int k = 0; k < CPU_INSTRUCTIONS; k++)
			if (seen.run[n][k])
				fprintf(file, "%d %d\n", n, 4 * k);
	fclose(file);
}

int main(int argc, char **argv)
{
	if (argc < 4 || argc > 6)
		wrong("PRU0.elf PRU1.elf WRITE [FAULT|none [LIST]]");
	write_cycles = strtoul(argv[3], NULL, 0);
	if (argc > 4 && strcmp(argv[4], "none"))
		set_fault(argv[4]);
	for (int n = 0; n < 2; n++) {
		cpu[n].number = n;
		cpu[n].running = true;
		load(&cpu[n], argv[1 + n]);
	}
	begin();
	while (!stopped && cpu[0].running)
		step();
	if (argc > 5)
		list_run(argv[5]);
	if (fault_time)
		return cpu[0].running ? 1 : report_stop();
	if (!cpu[0].running)
		differ("PRU0 has stopped");
	report();
	return 0;
}
