/* SPDX-License-Identifier: BSD-3-Clause */
/* chart_main.c - bench_chart: read the description of a chart (chart.h says how it looks), write it as SVG. */
#include <stdio.h>

#include "chart.h"
#include "chart_draw.h"

int main(int argc, char **argv)
{
	static struct chart chart;

	(void)argv;
	if (argc != 1) {
		fputs("usage: bench_chart <DESCRIPTION >PICTURE.svg\n", stderr);
		return 2;
	}
	chart_read(&chart, stdin);
	chart_draw(&chart, stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}
