/** The `towline` command. */
import { runCli } from './application.ts'

if (process.platform === 'linux') await runCli(process.argv.slice(2))
else {
  process.stderr.write(
    `error TL_PLATFORM: towline runs services on Linux; this is ${process.platform}. Use a Linux machine, a container or WSL 2.\n`,
  )
  process.exitCode = 2
}
