/** Taking the terminal and giving it back. */

/** Alternate screen, no wrapping at the right edge, cursor hidden, bracketed paste. */
export const ENTER = "\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[?2004h";
export const LEAVE = "\x1b[?2026l\x1b[?2004l\x1b[?1000l\x1b[?1006l\x1b[m\x1b[?7h\x1b[?25h\x1b[?1049l";
