/** The user's name; the number where the system knows no name, as in containers and from an initramfs. */
const { userInfo } = process.getBuiltinModule("node:os");

export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.() ?? "");
  }
}
