// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replays recordings of qs1-sim through the Cortex-M4 image in its emulator
 * and compares every output word and every command's reply, bit by bit. The
 * core on the host gets the same inputs, and what both publish in the shared
 * memory is compared as well: telemetry, events, parameters, waveforms.
 *
 *	m4-replay FIRMWARE.elf TRACE...
 *	m4-replay FIRMWARE.elf random:SEED:STEPS...
 *
 * In the second form samples and commands are random, which reaches corners
 * that no plant does.
 *
 * An image that counts what it costs (cost.h) runs in counted time, and the
 * figures of each recording are printed, in instructions:
 *
 *	cost FUNCTION INSTRUCTIONS STEP
 *	slot NUMBER INSTRUCTIONS
 *
 * The emulator, its boot ROM and the lock step are those of the virtual board;
 * there is no Linux: this program loads the image and presses start itself.
 * Exit status 0: identical; 1: a difference, or the processor failed; 2: bad
 * argument or file.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cost.h"
#include "m4.h"
#include "memory.h"
#include "native.h"
#include "priority.h"
#include "shm.h"
#include "trace.h"

#define START_TIMEOUT_MS 10000

/* While a command waits for its reply; the doorbell again each millisecond. */
#define COMMAND_NAP_US 10
#define NAPS_PER_RING 100

/* What is published is compared so often: some telemetry is a snapshot of 200 steps. */
#define COMPARE_STEPS 100

/* Registers and contract, without room for firmware. */
#define HOST_MEMORY QS1_VHW_FW_OFFSET

/**
 * struct file - a whole file, mapped
 */
struct file {
	const char *path;
	const uint8_t *bytes;
	size_t size;
};

/**
 * struct replay - the processor and where we are
 * @image: the firmware
 * @cost: offset of the image's struct cost in the memory, 0 if it counts nothing
 * @host_vhw: memory of the core on the host
 * @host: the core on the host
 * @step: control periods of this recording
 * @commands: commands of this recording
 */
struct replay {
	struct memory memory;
	struct m4 m4;
	struct file image;
	uint32_t cost;
	pid_t emulator;
	char folder[64];
	char shm[96];
	char qmp[96];
	char uart[96];
	struct qs1_vhw *host_vhw;
	struct qs1_shm *host_shm;
	struct qs1_native *host;
	const char *trace;
	unsigned long step;
	unsigned long commands;
};

static struct replay replay = { .memory = { .fd = -1 },
				.m4 = { .uart_fd = -1, .qmp = { .fd = -1 } } };

/*
 * At an ordinary priority: the kernel waits for any reader of a process that
 * is reaped without giving up the processor, which a real-time task would keep
 * from that one for good.
 */
static void clean_up(void)
{
	priority_set(getpid(), PRIORITY_ORDINARY);
	m4_close(&replay.m4);
	if (replay.emulator > 0) {
		kill(replay.emulator, SIGKILL);
		waitpid(replay.emulator, NULL, 0);
	}
	memory_remove(&replay.memory);
	unlink(replay.qmp);
	unlink(replay.uart);
	if (replay.folder[0])
		rmdir(replay.folder);
}

__attribute__((noreturn, format(printf, 2, 3))) static void fail(int status, const char *format,
								 ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "m4-replay: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(status);
}

/* A signal ends us as an exit would, emulator included. */
static void interrupted(int signal)
{
	exit(128 + signal);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct file map(const char *path)
{
	struct file file = { .path = path };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st))
		fail(2, "%s: %s", path, strerror(errno));
	bytes = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
			   : MAP_FAILED;
	if (bytes == MAP_FAILED)
		fail(2, "%s: cannot be read, or is empty", path);
	close(fd);
	file.bytes = bytes;
	file.size = (size_t)st.st_size;
	return file;
}

/* --- the processor ----------------------------------------------------------- */

static void spawn_emulator(const char *boot_rom)
{
	char memory[160], qmp[160], uart[160];

	snprintf(memory, sizeof(memory), "memory-backend-file,id=ram,share=on,mem-path=%s,size=16M",
		 replay.shm);
	snprintf(qmp, sizeof(qmp), "unix:%s,server=on,wait=off", replay.qmp);
	snprintf(uart, sizeof(uart), "unix:%s,server=on,wait=off", replay.uart);

	replay.emulator = fork();
	if (replay.emulator < 0)
		fail(1, "fork: %s", strerror(errno));
	if (replay.emulator)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	execlp("qemu-system-arm", "qemu-system-arm", "-M", "mps2-an386,memory-backend=ram",
	       "-object", memory, "-kernel", boot_rom, "-display", "none", "-monitor", "none",
	       "-serial", uart, "-qmp", qmp, replay.cost ? "-icount" : (char *)NULL, "shift=5",
	       (char *)NULL);
	fprintf(stderr, "m4-replay: qemu-system-arm: %s\n", strerror(errno));
	_exit(127);
}

static void connect_emulator(void)
{
	long deadline = now_ms() + START_TIMEOUT_MS;
	char err[256];
	int ret;

	do {
		ret = m4_connect(&replay.m4, replay.memory.vhw, replay.qmp, replay.uart, err,
				 sizeof(err));
		if (ret != -EAGAIN)
			break;
		if (waitpid(replay.emulator, NULL, WNOHANG)) {
			replay.emulator = 0;
			fail(1, "the emulator did not start");
		}
		usleep(10000);
	} while (now_ms() < deadline);
	if (ret)
		fail(1, "%s", err);
}

static void check_image(void)
{
	const Elf32_Ehdr *ehdr = (const void *)replay.image.bytes;

	if (replay.image.size < sizeof(*ehdr) || memcmp(ehdr->e_ident, ELFMAG, SELFMAG) ||
	    ehdr->e_ident[EI_CLASS] != ELFCLASS32 || ehdr->e_machine != EM_ARM ||
	    ehdr->e_phoff + ehdr->e_phnum * sizeof(Elf32_Phdr) > replay.image.size)
		fail(2, "%s: expected a 32-bit ARM ELF file", replay.image.path);
}

/* Where the image keeps its figures, see cost.h: from its symbol table. */
static uint32_t find_cost(void)
{
	const Elf32_Ehdr *ehdr = (const void *)replay.image.bytes;
	const Elf32_Shdr *shdr = (const void *)(replay.image.bytes + ehdr->e_shoff);

	if (!ehdr->e_shoff || ehdr->e_shoff + ehdr->e_shnum * sizeof(*shdr) > replay.image.size)
		return 0;
	for (int i = 0; i < ehdr->e_shnum; i++) {
		const Elf32_Sym *symbol = (const void *)(replay.image.bytes + shdr[i].sh_offset);
		const char *names;

		if (shdr[i].sh_type != SHT_SYMTAB || shdr[i].sh_link >= ehdr->e_shnum)
			continue;
		names = (const char *)replay.image.bytes + shdr[shdr[i].sh_link].sh_offset;
		for (size_t n = 0; n < shdr[i].sh_size / sizeof(*symbol); n++)
			if (!strcmp(names + symbol[n].st_name, "qs1_cost"))
				return symbol[n].st_value - QS1_VHW_DA;
	}
	return 0;
}

/* What remoteproc does: the segments to where they run. */
static uint32_t load_image(void)
{
	const Elf32_Ehdr *ehdr = (const void *)replay.image.bytes;
	const Elf32_Phdr *phdr = (const void *)(replay.image.bytes + ehdr->e_phoff);
	uint8_t *base = (uint8_t *)replay.memory.vhw;
	uint32_t offset;

	for (int i = 0; i < ehdr->e_phnum; i++, phdr++) {
		if (phdr->p_type != PT_LOAD)
			continue;
		offset = phdr->p_paddr - QS1_VHW_DA;
		if (offset < QS1_VHW_FW_OFFSET || phdr->p_filesz > phdr->p_memsz ||
		    phdr->p_memsz > QS1_VHW_SIZE || offset > QS1_VHW_SIZE - phdr->p_memsz ||
		    phdr->p_offset + phdr->p_filesz > replay.image.size)
			fail(2, "%s: segment %d does not fit the board's memory", replay.image.path,
			     i);
		memset(base + offset, 0, phdr->p_memsz);
		memcpy(base + offset, replay.image.bytes + phdr->p_offset, phdr->p_filesz);
	}
	return ehdr->e_entry;
}

/* From reset, with the image loaded again: a core as after qs1_core_init(). */
static void restart(void)
{
	struct qs1_vhw *vhw = replay.memory.vhw;
	struct qs1_shm *shm = replay.memory.shm;
	long deadline;
	char err[256];

	qs1_shm_write(vhw->run, 0);
	if (m4_reset(&replay.m4, err, sizeof(err)))
		fail(1, "%s", err);
	shm->fw.magic = 0;
	shm->fw.crash_reason = QS1_CRASH_NONE;
	/* Commands may come before the first period sets the lines. */
	shm->host.gpio_out = QS1_GPIO_ENABLE | QS1_GPIO_ESTOP_N;
	vhw->boot_da = load_image();
	vhw->step_ack = vhw->step_req;
	vhw->rest = 0;
	qs1_shm_barrier();
	qs1_shm_write(vhw->run, 1);
	m4_wake(&replay.m4);

	deadline = now_ms() + START_TIMEOUT_MS;
	while (qs1_shm_read(shm->fw.magic) != QS1_MAGIC) {
		if (qs1_shm_read(shm->fw.crash_reason) || now_ms() > deadline)
			fail(1, "the firmware did not start, crash reason %u",
			     qs1_shm_read(shm->fw.crash_reason));
		usleep(1000);
	}
	qs1_shm_barrier();
	if (shm->fw.layout_version != QS1_LAYOUT_VERSION)
		fail(2, "%s: contract version %u, expected %u", replay.image.path,
		     shm->fw.layout_version, QS1_LAYOUT_VERSION);

	/* Mailbox numbers go on, as they do for the processor. */
	replay.host_shm->command = shm->command;
	replay.host_shm->host = shm->host;
	qs1_native_start(replay.host);
}

/* --- the recording ----------------------------------------------------------- */

static void differ(const char *what, long expected, long found)
{
	fail(1, "%s: step %lu (%.6f s), %lu commands before it: %s is %ld, recorded %ld",
	     replay.trace, replay.step, (double)replay.step / QS1_CONTROL_HZ, replay.commands, what,
	     found, expected);
}

static void compare(const char *what, long expected, long found)
{
	if (expected != found)
		differ(what, expected, found);
}

static void compare_bytes(const char *what, const void *expected, const void *found, size_t size)
{
	const uint8_t *e = expected, *f = found;

	for (size_t i = 0; i < size; i++) {
		if (e[i] != f[i])
			fail(1, "%s: step %lu: %s: byte %zu is 0x%02x, on the host 0x%02x",
			     replay.trace, replay.step, what, i, f[i], e[i]);
	}
}

/*
 * What both cores have published, while neither is running. Not the doorbells:
 * reasons that come close together share one.
 */
static void compare_published(void)
{
	const struct qs1_shm *host = replay.host_shm, *m4 = replay.memory.shm;
	const size_t scans = sizeof(struct qs1_scan) << m4->fw.wave_log2;

	compare("alive", host->fw.alive, m4->fw.alive);
	compare_bytes("reply", &host->reply, &m4->reply, sizeof(host->reply));
	compare_bytes("telemetry", &host->telemetry, &m4->telemetry, sizeof(host->telemetry));
	compare_bytes("parameters", host->param, m4->param, sizeof(host->param));
	compare_bytes("events", &host->events, &m4->events, sizeof(host->events));
	compare_bytes("waveforms", &host->wave, &m4->wave, sizeof(host->wave) + scans);
}

/* Inputs of one control period, into either memory. */
static void set_inputs(struct qs1_vhw *vhw, struct qs1_shm *shm, const struct trace_step *record)
{
	memcpy(vhw->adc, record->adc, sizeof(vhw->adc));
	vhw->sense = QS1_VHW_SENSE_ESTOP_N;
	shm->host.heartbeat = record->heartbeat;
	shm->host.gpio_out = QS1_GPIO_ENABLE | (record->estop_n ? QS1_GPIO_ESTOP_N : 0);
	qs1_shm_barrier();
	qs1_shm_write(vhw->step_req, vhw->step_req + 1);
}

/* One control period of both; the outputs are for the caller to compare. */
static void step_both(const struct trace_step *record)
{
	set_inputs(replay.memory.vhw, replay.memory.shm, record);
	set_inputs(replay.host_vhw, replay.host_shm, record);
	qs1_native_step(replay.host);
	if (m4_wait(&replay.m4, NULL, NULL))
		fail(1, "%s: step %lu: no answer, crash reason %u at 0x%08x", replay.trace,
		     replay.step, replay.memory.shm->fw.crash_reason,
		     replay.memory.shm->fw.crash_pc);
	if (replay.step % COMPARE_STEPS == 0)
		compare_published();
}

static void replay_step(const struct trace_step *record)
{
	static const char *const cmp_names[] = { "cmp_input[0]", "cmp_input[1]", "cmp_input[2]",
						 "cmp_input[3]" };
	const struct qs1_vhw *vhw = replay.memory.vhw;

	step_both(record);
	compare("ctl", record->ctl, vhw->ctl);
	for (int i = 0; i < QS1_INPUTS; i++)
		compare(cmp_names[i], record->cmp_input[i], vhw->cmp_input[i]);
	compare("cmp_bridge", record->cmp_bridge, vhw->cmp_bridge);
	replay.step++;
}

static uint32_t send_command(struct qs1_shm *shm, const struct trace_command *record)
{
	struct qs1_command *command = &shm->command;

	command->op = record->op;
	command->arg = record->arg;
	command->value = record->value;
	qs1_shm_barrier();
	qs1_shm_write(command->seq, command->seq + 1);
	return command->seq;
}

/* One command of both; the reply is for the caller to compare. */
static void command_both(const struct trace_command *record)
{
	struct qs1_reply *reply = &replay.memory.shm->reply;
	long deadline = now_ms() + START_TIMEOUT_MS;
	uint32_t seq;

	send_command(replay.host_shm, record);
	qs1_native_idle(replay.host);
	seq = send_command(replay.memory.shm, record);
	m4_wake(&replay.m4);
	/* Not without a pause: the emulator may need the processor that we run on. */
	for (unsigned int naps = 1; qs1_shm_read(reply->seq) != seq; naps++) {
		if (now_ms() > deadline)
			fail(1, "%s: step %lu: command %u got no reply", replay.trace, replay.step,
			     record->op);
		usleep(COMMAND_NAP_US);
		if (naps % NAPS_PER_RING == 0)
			m4_wake(&replay.m4);
	}
	qs1_shm_barrier();
}

static void replay_command(const struct trace_command *record)
{
	const struct qs1_reply *reply = &replay.memory.shm->reply;

	command_both(record);
	compare("a command's result", (long)record->result, (long)reply->result);
	compare("a command's reply", record->ret, reply->value);
	replay.commands++;
}

/* Return: bytes of the record at @record, of @left at most. */
static size_t replay_record(const uint8_t *record, size_t left)
{
	static const size_t sizes[] = {
		[TRACE_STEP] = sizeof(struct trace_step),
		[TRACE_COMMAND] = sizeof(struct trace_command),
		[TRACE_RESET] = sizeof(struct trace_reset),
	};
	union {
		struct trace_step step;
		struct trace_command command;
	} copy;
	size_t size = *record < sizeof(sizes) / sizeof(*sizes) ? sizes[*record] : 0;

	if (!size || size > left)
		fail(2,
		     "%s: after step %lu: expected a record of kind 0 to 2, found kind %u with "
		     "%zu bytes left",
		     replay.trace, replay.step, *record, left);
	memcpy(&copy, record, size);
	if (*record == TRACE_STEP)
		replay_step(&copy.step);
	else if (*record == TRACE_COMMAND)
		replay_command(&copy.command);
	else
		restart();
	return size;
}

static void print_cost(void)
{
	static const char *const names[] = {
#define X(name, type, parameters, names) [COST_##name] = #name,
		COST_FUNCTIONS(X)
#undef X
	};
	const struct cost *cost = (const void *)((const char *)replay.memory.vhw + replay.cost);

	for (int i = 0; i < COST_COUNT; i++)
		if (cost->max[i])
			printf("cost %s %u %u\n", names[i], COST_INSTRUCTIONS(cost->max[i]),
			       cost->at[i]);
	for (int i = 0; i < COST_SLOTS; i++)
		printf("slot %d %u\n", i, COST_INSTRUCTIONS(cost->slot[i]));
}

static void verdict(long begun)
{
	double wall_s = (double)(now_ms() - begun) / 1e3;

	compare_published();
	printf("%s: %lu steps, %lu commands, identical (%.0f steps/s)\n", replay.trace, replay.step,
	       replay.commands, wall_s > 0 ? (double)replay.step / wall_s : 0);
	if (replay.cost)
		print_cost();
}

static void replay_trace(const char *path)
{
	struct file file = map(path);
	struct trace_header header;
	size_t at = sizeof(header);
	long begun = now_ms();

	memcpy(&header, file.bytes, file.size < at ? file.size : at);
	if (file.size < at || memcmp(header.magic, TRACE_MAGIC, sizeof(header.magic)) ||
	    header.version != TRACE_VERSION || header.layout_version != QS1_LAYOUT_VERSION)
		fail(2, "%s: expected a recording of version %u for contract version %u", path,
		     TRACE_VERSION, QS1_LAYOUT_VERSION);

	restart();
	while (at < file.size)
		at += replay_record(file.bytes + at, file.size - at);
	verdict(begun);
	munmap((void *)file.bytes, file.size);
}

/* --- random inputs ------------------------------------------------------------- */

/* Marsaglia, Xorshift RNGs, 2003: 32 bits, period 2^32 - 1. */
static uint32_t draw(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Each sample wanders; now and then one jumps to anywhere, or to an end of its range. */
static void draw_step(uint32_t *state, struct trace_step *record)
{
	for (int i = 0; i < QS1_ADC_COUNT; i++) {
		uint32_t word = draw(state);
		int sample = record->adc[i] + (int)(word % 257) - 128;

		if (word >> 24 == 0)
			sample = (int16_t)draw(state);
		else if (word >> 24 == 1)
			sample = word & 0x800000 ? INT16_MAX : INT16_MIN;
		record->adc[i] = (int16_t)(sample > INT16_MAX	? INT16_MAX
					   : sample < INT16_MIN ? INT16_MIN
								: sample);
	}
	record->estop_n = draw(state) % 1024 != 0;
	record->heartbeat += draw(state) % 64 == 0;
}

/* Any operation but a crash, an operand near its range, mostly a value that is accepted. */
static void draw_command(uint32_t *state, struct trace_command *record)
{
	static const int32_t limits[][2] = {
#define X(id, name, dec, def, min, max, ...) { min, max },
		QS1_PARAMS(X)
#undef X
	};
	uint32_t low, span;

	do
		record->op = draw(state) % (QS1_OP_COUNT + 1);
	while (record->op == QS1_OP_CRASH);
	record->arg = draw(state) % (QS1_PARAM_COUNT + 2);
	record->value = (int32_t)draw(state);
	if (record->arg < QS1_PARAM_COUNT && draw(state) % 8) {
		low = (uint32_t)limits[record->arg][0];
		span = (uint32_t)limits[record->arg][1] - low;
		record->value = (int32_t)(low + draw(state) % (span + 1));
	}
}

static void compare_outputs(void)
{
	const struct qs1_vhw *host = replay.host_vhw, *m4 = replay.memory.vhw;

	compare("ctl", host->ctl, m4->ctl);
	compare_bytes("cmp_input", host->cmp_input, m4->cmp_input, sizeof(m4->cmp_input));
	compare("cmp_bridge", host->cmp_bridge, m4->cmp_bridge);
}

static void replay_random(uint32_t seed, unsigned long steps)
{
	struct trace_command command = { .kind = TRACE_COMMAND };
	struct trace_step record = { .kind = TRACE_STEP };
	uint32_t state = seed ? seed : 1;
	long begun = now_ms();

	restart();
	for (; replay.step < steps; replay.step++) {
		if (draw(&state) % 64 == 0) {
			draw_command(&state, &command);
			command_both(&command);
			compare_bytes("reply", &replay.host_shm->reply, &replay.memory.shm->reply,
				      sizeof(struct qs1_reply));
			replay.commands++;
		}
		draw_step(&state, &record);
		step_both(&record);
		compare_outputs();
	}
	verdict(begun);
}

static void replay_one(const char *argument)
{
	unsigned long steps;
	unsigned int seed;
	char rest;

	replay.trace = argument;
	replay.step = 0;
	replay.commands = 0;
	if (strncmp(argument, "random:", 7))
		replay_trace(argument);
	else if (sscanf(argument, "random:%u:%lu%c", &seed, &steps, &rest) == 2)
		replay_random(seed, steps);
	else
		fail(2, "%s: expected random:SEED:STEPS", argument);
}

/* --- start -------------------------------------------------------------------- */

static void make_folder(void)
{
	snprintf(replay.folder, sizeof(replay.folder), "%s/m4-replay-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(replay.folder)) {
		replay.folder[0] = 0;
		fail(1, "%s: %s", replay.folder, strerror(errno));
	}
	snprintf(replay.shm, sizeof(replay.shm), "%s/shm", replay.folder);
	snprintf(replay.qmp, sizeof(replay.qmp), "%s/qmp", replay.folder);
	snprintf(replay.uart, sizeof(replay.uart), "%s/uart", replay.folder);
}

int main(int argc, char **argv)
{
	char boot_rom[4096], err[256];

	if (argc < 3) {
		fprintf(stderr, "usage: m4-replay FIRMWARE.elf TRACE|random:SEED:STEPS...\n");
		return 2;
	}
	atexit(clean_up);
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);

	replay.image = map(argv[1]);
	check_image();
	replay.cost = find_cost();
	snprintf(err, sizeof(err), "%s", argv[1]);
	snprintf(boot_rom, sizeof(boot_rom), "%s/qs1-boot.elf", dirname(err));
	if (access(boot_rom, R_OK))
		fail(2, "%s: %s", boot_rom, strerror(errno));

	replay.host_vhw = calloc(1, HOST_MEMORY);
	replay.host = replay.host_vhw ? qs1_native_new(replay.host_vhw) : NULL;
	if (!replay.host)
		fail(1, "%s", strerror(ENOMEM));
	replay.host_shm = (struct qs1_shm *)((char *)replay.host_vhw + QS1_VHW_SHM_OFFSET);
	make_folder();
	if (memory_create(&replay.memory, replay.shm, err, sizeof(err)))
		fail(1, "%s", err);
	spawn_emulator(boot_rom);
	connect_emulator();
	if (!priority_set(getpid(), PRIORITY_BOARD))
		m4_favour(&replay.m4, true);

	for (int i = 2; i < argc; i++)
		replay_one(argv[i]);
	return 0;
}
