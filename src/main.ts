import { createNode } from './app.ts'
import { backgroundThread } from './background.ts'
import { loadConfig } from './config.ts'
import { openBase } from './core.ts'
import { hearEarly, installShutdown } from './http/shutdown.ts'
import { systemClock } from './kernel/clock.ts'
import { release } from './kernel/collect.ts'
import { StartRefused } from './kernel/errors.ts'
import { createLog } from './kernel/log.ts'

/** EX_CONFIG: a service manager need not try again. */
const REFUSED = 78

const early = hearEarly()
try {
  const config = loadConfig(process.env)
  const log = createLog({ level: config.logLevel })
  const base = await openBase({ config, clock: systemClock, log })
  const node = await createNode(base, log, { startBackground: backgroundThread }).catch(async (error: unknown) => {
    await base.close()
    throw error
  })
  const shutdown = installShutdown({ parts: node.shutdown, log, seconds: config.shutdownSeconds })
  early.end()
  if (early.heard()) shutdown.close()
  else {
    const addresses = await node.listen()
    release()
    for (const [listener, address] of Object.entries(addresses)) {
      const { hostname, port } = new URL(address)
      log.info({ listener, host: hostname, port: Number(port) }, 'listening')
    }
  }
} catch (error) {
  if (!(error instanceof StartRefused)) throw error
  process.stderr.write(`aldis: ${error.message}\n`)
  process.exit(REFUSED)
}
