import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { keepEvidence } from '../../client/evidence-file.ts'
import { systemClock } from '../../kernel/clock.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { sha256 } from '../../kernel/sha256.ts'
import { verifyEd25519 } from '../../provenance/ed25519.ts'
import { evidenceOf } from '../../provenance/evidence.ts'
import { formatVkey, NOTE_TYPE, parseVkey, type VerifierKey } from '../../provenance/note.ts'
import { openWitnessKey } from '../../witness/key.ts'
import { openMemory } from '../../witness/memory.ts'
import { startWitness } from '../../witness/server.ts'
import { createWitness } from '../../witness/witness.ts'
import { type Output, outputOf } from '../output.ts'

interface WitnessOptions {
  dir: string
  name?: string
  log?: readonly string[]
  host: string
  port: number
  tlsKey?: string
  tlsCert?: string
}

export function witnessCommand(program: Command): void {
  program
    .command('witness')
    .description('cosign the checkpoints of logs, each only if it continues the last one seen (C2SP tlog-witness)')
    .requiredOption('--dir <dir>', "the witness's own folder: its key, made at first use, and what it has seen")
    .option('--name <name>', 'name of a new key, such as witness.example/w1')
    .option(
      '--log <vkey|file>',
      "key of a log that is witnessed; repeat for several. None: only show the witness's key",
      collect,
    )
    .option('--host <address>', 'where to listen; beyond loopback with TLS only', '127.0.0.1')
    .option('--port <number>', 'any free one: 0', portOf, 8_445)
    .option('--tls-key <file>', 'PEM')
    .option('--tls-cert <file>', 'PEM, with its chain')
    .action((options: WitnessOptions, command: Command) => run(options, outputOf(command)))
}

async function run(
  { dir, name, log = [], host, port, tlsKey, tlsCert }: WitnessOptions,
  output: Output,
): Promise<void> {
  const key = openWitnessKey(dir, name)
  const logs = log.map(logKey)
  output.data({ vkey: key.vkey }, key.vkey)
  if (logs.length === 0) return
  if (new Set(logs.map((one) => one.name)).size < logs.length) throw new StartRefused('--log: two keys of one origin')
  if ((tlsKey === undefined) !== (tlsCert === undefined))
    throw new StartRefused('--tls-key and --tls-cert: give both or none')
  const tls = tlsKey === undefined || tlsCert === undefined ? {} : { tls: { key: read(tlsKey), cert: read(tlsCert) } }
  const witness = createWitness({ key, logs, memory: openMemory(dir), clock: systemClock, verify: verifyEd25519 })
  const server = await startWitness({
    ...{ witness, host, port, ...tls },
    onContradiction: ({ log: { name: origin, publicKey }, kept, offered }) => {
      const evidence = evidenceOf(formatVkey(sha256, origin, publicKey), kept, offered)
      output.warn(`${origin} signed two trees of one size: ${keepEvidence(join(dir, 'evidence'), evidence)} proves it`)
    },
    onFault: (error) => output.warn(`a request could not be judged: ${String(error)}`),
  })
  output.data({ url: server.url, logs: logs.map((one) => one.name) }, `witnessing ${logs.length} logs at ${server.url}`)
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  await server.close()
}

function logKey(given: string): VerifierKey {
  const text = existsSync(given) ? readFileSync(given, 'utf8').trim() : given
  const key = parseVkey(sha256, text)
  if (key?.type !== NOTE_TYPE.ed25519) throw new StartRefused('--log: expected the vkey of a log, or a file with one')
  return key
}

function read(path: string): string {
  if (!existsSync(path)) throw new StartRefused(`${path}: is missing`)
  return readFileSync(path, 'utf8')
}

function portOf(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('expected a port, 0 to 65535')
}

const collect = (value: string, known: readonly string[] = []): string[] => [...known, value]
