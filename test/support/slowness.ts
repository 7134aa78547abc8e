/** How much slower than a processor this machine may be: 1, or what the virtual machine says of its emulation. */
export const slowness = Number(process.env.TRACEDECK_TEST_SLOWNESS ?? 1);
