/** Finding `turnserver`, and saying how to install it. */
import { access, constants, readFile } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'

/** The path of a program on the PATH, or undefined. A name with a slash is taken as it is. */
export async function findExecutable(
  name: string,
  searchPath: string = process.env.PATH ?? '',
): Promise<string | undefined> {
  // Debian keeps daemons in /usr/sbin in some releases, and users' PATH often lacks it.
  const folders = [...searchPath.split(delimiter), '/usr/sbin', '/usr/local/sbin'].filter((folder) => folder !== '')
  const candidates = isAbsolute(name) || name.includes('/') ? [name] : folders.map((folder) => join(folder, name))
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.X_OK)
      return candidate
    } catch {
      // Not here, or not for us.
    }
  }
  return undefined
}

/** The package managers of distributions, by the ID and ID_LIKE of their os-release. */
const INSTALL_COMMANDS: readonly (readonly [family: string, command: string])[] = [
  // Debian and Ubuntu start a service of their own at once, on the port that we want.
  ['debian', 'sudo apt install coturn && sudo systemctl disable --now coturn'],
  ['ubuntu', 'sudo apt install coturn && sudo systemctl disable --now coturn'],
  ['fedora', 'sudo dnf install coturn'],
  ['rhel', 'sudo dnf install coturn'],
  ['arch', 'sudo pacman -S coturn'],
  ['alpine', 'sudo apk add coturn'],
  ['suse', 'sudo zypper install coturn'],
]

/** The command that installs coturn on a system; undefined when the system is unknown. */
export function installCommand(platform: NodeJS.Platform, osRelease: string): string | undefined {
  if (platform === 'darwin') return 'brew install coturn'
  const families = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap((match) => match[1]?.split(' '))
  return INSTALL_COMMANDS.find(([family]) => families.includes(family))?.[1]
}

/** One line for the operator of a machine without coturn. */
export async function installHint(): Promise<string> {
  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const command = installCommand(process.platform, osRelease)
  const how = command === undefined ? 'install coturn from your distribution' : `install it with: ${command}`
  return `TURN is off, because turnserver was not found; ${how}`
}
