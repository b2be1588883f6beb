// SPDX-License-Identifier: GPL-2.0-only
/*
 * A firmware that changes what the driver reads while it reads it, as fast as this
 * machine can: a word may differ between two reads of it that are nanoseconds apart.
 *
 *   hostile FILE OFFSET drain|handshake SECONDS
 *
 * FILE holds the board's memory, with the contract at OFFSET. "drain" advances the
 * waveform ring by a chunk at a time and renumbers its scans, "handshake" has what
 * the firmware says of itself right and wrong in turn. Prints how often.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <qs1/abi.h>

/* Rounds between two readings of the clock. */
#define ROUNDS 1000
/* Scans that the driver takes at once. */
#define CHUNK 64

static const uint32_t wrong[] = { 0, 1, 14, 31, 32, 0x7fffffff, 0x80000000, 0xffffffff };

static volatile uint32_t *word(uint32_t *member)
{
	return member;
}

static void drain(struct qs1_shm *shm, uint64_t round)
{
	uint32_t head = *word(&shm->wave.head) + CHUNK;

	*word(&shm->wave.scan[head % (1u << QS1_WAVE_LOG2_MAX)].seq) =
		(uint32_t)(round * 2654435761u);
	*word(&shm->wave.head) = head;
	/* Sometimes far ahead, and back. */
	if (round % 65536 == 0)
		*word(&shm->wave.head) = wrong[round / 65536 % (sizeof(wrong) / sizeof(*wrong))];
}

static void handshake(struct qs1_shm *shm, uint64_t round)
{
	uint32_t bad = wrong[round / 2 % (sizeof(wrong) / sizeof(*wrong))];
	int right = round % 2;

	*word(&shm->fw.magic) = QS1_MAGIC;
	*word(&shm->fw.layout_version) = QS1_LAYOUT_VERSION;
	*word(&shm->fw.control_hz) = right ? QS1_CONTROL_HZ : bad;
	*word(&shm->fw.wave_log2) = right ? QS1_WAVE_LOG2_MAX : bad;
	memset(shm->fw.version, right ? 'v' : 0xff, sizeof(shm->fw.version));
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char *argv[])
{
	void (*act)(struct qs1_shm * shm, uint64_t round);
	struct stat stat;
	uint64_t round = 0;
	uint8_t *memory;
	double end_s;
	int fd;
	int i;

	if (argc != 5 || (strcmp(argv[3], "drain") && strcmp(argv[3], "handshake"))) {
		fprintf(stderr, "usage: hostile FILE OFFSET drain|handshake SECONDS\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &stat)) {
		fprintf(stderr, "hostile: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	memory = mmap(NULL, (size_t)stat.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		fprintf(stderr, "hostile: mmap: %s\n", strerror(errno));
		return 1;
	}
	act = strcmp(argv[3], "drain") ? handshake : drain;
	end_s = now_s() + atof(argv[4]);
	while (now_s() < end_s)
		for (i = 0; i < ROUNDS; i++)
			act((struct qs1_shm *)(memory + strtoul(argv[2], NULL, 0)), round++);
	printf("%" PRIu64 "\n", round);
	return 0;
}
