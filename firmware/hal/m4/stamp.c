// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Host tool, run after linking: writes the CRC of the code into the .stamp
 * section of a 32-bit ELF, see struct qs1_stamp.
 *
 *	stamp FILE.elf
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <qs1/crc32.h>
#include "selfcheck.h"

static uint8_t *image;
static size_t image_size;

/* File content at a load address, or NULL if no segment holds all of it. */
static uint8_t *at(uint32_t address, uint32_t size)
{
	const Elf32_Ehdr *ehdr = (const void *)image;
	const Elf32_Phdr *phdr = (const void *)(image + ehdr->e_phoff);

	for (int i = 0; i < ehdr->e_phnum; i++) {
		if (phdr[i].p_type == PT_LOAD && address >= phdr[i].p_paddr &&
		    address - phdr[i].p_paddr + (uint64_t)size <= phdr[i].p_filesz)
			return image + phdr[i].p_offset + (address - phdr[i].p_paddr);
	}
	return NULL;
}

static struct qs1_stamp *find_stamp(void)
{
	const Elf32_Ehdr *ehdr = (const void *)image;
	const Elf32_Shdr *shdr = (const void *)(image + ehdr->e_shoff);
	const char *names = (const char *)image + shdr[ehdr->e_shstrndx].sh_offset;

	for (int i = 0; i < ehdr->e_shnum; i++) {
		if (!strcmp(names + shdr[i].sh_name, ".stamp") &&
		    shdr[i].sh_size == sizeof(struct qs1_stamp))
			return (struct qs1_stamp *)(image + shdr[i].sh_offset);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct qs1_stamp *stamp;
	uint8_t *covered;
	struct stat st;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: stamp FILE.elf\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st)) {
		perror(argv[1]);
		return 1;
	}
	image_size = (size_t)st.st_size;
	image = mmap(NULL, image_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (image == MAP_FAILED || image_size < sizeof(Elf32_Ehdr) ||
	    memcmp(image, ELFMAG, SELFMAG) || image[EI_CLASS] != ELFCLASS32) {
		fprintf(stderr, "%s: expected a 32-bit ELF file\n", argv[1]);
		return 1;
	}
	stamp = find_stamp();
	if (!stamp) {
		fprintf(stderr, "%s: no section .stamp of %zu bytes\n", argv[1], sizeof(*stamp));
		return 1;
	}
	covered = at(stamp->start, stamp->end - stamp->start);
	if (stamp->end < stamp->start || !covered) {
		fprintf(stderr, "%s: no segment holds 0x%x to 0x%x\n", argv[1], stamp->start,
			stamp->end);
		return 1;
	}
	stamp->crc = qs1_crc32(covered, covered + (stamp->end - stamp->start));
	return 0;
}
