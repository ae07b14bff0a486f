import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { CategorySlug } from '../../feedback/schema.ts'
import { createDurably, removeDurably } from '../../kernel/durable.ts'
import { Refusal, StartRefused } from '../../kernel/errors.ts'
import { SlugSchema } from '../../kernel/schema.ts'

/** A program on this machine that asks in another protocol, and what holds for what it writes. */
const ForeignClientFile = Type.Object(
  {
    name: SlugSchema,
    added_at: Type.String(),
    /** SHA-256 of its secret. */
    digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** Where a value that it submits says neither. */
    category: Type.Optional(CategorySlug),
    context: Type.Optional(Type.String({ pattern: '^[A-Z]{2}/[a-z0-9][a-z0-9_-]{0,62}/(public|private)$' })),
    /** Whether what its source reviewed by people is told as malicious; all else is suspicious. */
    status: Type.Optional(Type.Literal('source')),
    /** Whether it may write by TAXII. */
    write: Type.Optional(Type.Literal(true)),
  },
  { additionalProperties: false },
)
export type ForeignClient = Static<typeof ForeignClientFile>
export type ForeignSettings = Pick<ForeignClient, 'category' | 'context' | 'status' | 'write'>

const SHAPE = Compile(ForeignClientFile)
/** So many programs ask one bridge. */
export const CLIENTS_MAX = 32

const folderOf = (home: string): string => join(home, 'bridge', 'clients')
const fileOf = (home: string, name: string): string => join(folderOf(home), `${name}.json`)

/** Those of a home; throws `StartRefused` for a file that is none. */
export function foreignClients(home: string): ForeignClient[] {
  const folder = folderOf(home)
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.sort().map((name) => {
    const client: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    if (!SHAPE.Check(client)) throw new StartRefused(`${join(folder, name)}: is no client; end it and add it again`)
    return client as ForeignClient
  })
}

/** Answers the secret, which is nowhere kept. Throws `state-conflict` where the name is taken. */
export function addForeignClient(home: string, name: string, settings: ForeignSettings, now: Date): string {
  if (foreignClients(home).length >= CLIENTS_MAX)
    throw new Refusal('state-conflict', { detail: 'end a client first', extra: { limit: CLIENTS_MAX } })
  const secret = randomBytes(32).toString('base64url')
  const client = { name, added_at: now.toISOString(), digest: sha256(secret).toString('hex'), ...settings }
  if (!SHAPE.Check(client)) throw new Refusal('validation-failed', { detail: 'a name is a slug' })
  if (createDurably(fileOf(home, name), `${JSON.stringify(client)}\n`, 0o600) === 'there')
    throw new Refusal('state-conflict', { detail: 'a client has this name' })
  return secret
}

/** Its secret is good no longer. Throws `not-found`. */
export function endForeignClient(home: string, name: string): void {
  if (!foreignClients(home).some((client) => client.name === name)) throw new Refusal('not-found')
  removeDurably(fileOf(home, name))
}

/** The clients of a home as they are now: the command changes them while the bridge runs. */
export interface ForeignClients {
  any(): boolean
  names(): string[]
  /** Whose secret this is; in a time that tells nothing of others. */
  of(secret: string | undefined): ForeignClient | undefined
}

export function openForeignClients(home: string): ForeignClients {
  let known: { at: number; clients: ForeignClient[] } | undefined
  const present = (): ForeignClient[] => {
    const at = statSync(folderOf(home), { throwIfNoEntry: false })?.mtimeMs ?? 0
    if (known?.at !== at) known = { at, clients: foreignClients(home) }
    return known.clients
  }
  return {
    any: () => present().length > 0,
    names: () => present().map(({ name }) => name),
    of(secret) {
      if (secret === undefined || !SECRET.test(secret)) return undefined
      const shown = sha256(secret)
      return present().find(({ digest }) => timingSafeEqual(Buffer.from(digest, 'hex'), shown))
    },
  }
}

const SECRET = /^[A-Za-z0-9_-]{43}$/
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
