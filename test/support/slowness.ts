/** How much slower than a processor this machine may be: 1, or what the virtual machine says of its emulation. */
export const slowness = Number(process.env.TRACEDECK_TEST_SLOWNESS ?? 1);

/**
 * How many of so many events of a clock must be seen. A tick that comes due while an emulated processor is kept from
 * running is left out by the kernel.
 */
export const ticksOf = (count: number): number => Math.max(1, Math.floor(count / slowness));
