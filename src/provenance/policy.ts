import type { Hash } from '../kernel/bytes.ts'
import { equal, utf8 } from '../kernel/bytes.ts'
import { cosignedAt } from './checkpoint.ts'
import { NOTE_TYPE, type Note, parseVkey, type VerifierKey, type VerifyEd25519 } from './note.ts'

/** Bytes of a policy at most: it stands whole in a record of the log. */
export const POLICY_MAX = 16_384
/** Lines of each kind at most; the specification asks for 32. */
const LINES_MAX = 32

/** A log or witness that is trusted by its key; the URL is the prefix under which it answers. */
export interface Trusted {
  key: VerifierKey
  url: string | undefined
}

export interface PolicyWitness extends Trusted {
  /** Of the policy alone; the name that the witness signs under is the key's. */
  name: string
}

interface Group {
  k: number
  members: readonly string[]
}

/** Which logs are trusted, and whose cosignatures make a checkpoint valid (C2SP tlog-policy). */
export interface Policy {
  logs: readonly Trusted[]
  witnesses: readonly PolicyWitness[]
  groups: ReadonlyMap<string, Group>
  /** A witness, a group, or undefined for `none`. */
  quorum: string | undefined
}

/** The policy cannot be read; the first line at fault, counted from 1. */
export class PolicyMalformed extends Error {
  override readonly name = 'PolicyMalformed'
  readonly line: number

  constructor(line: number, why: string) {
    super(`line ${line}: ${why}`)
    this.line = line
  }
}

interface Draft {
  logs: Trusted[]
  witnesses: PolicyWitness[]
  groups: Map<string, Group>
  /** Who is a member of a group already: each name counts once. */
  placed: Set<string>
  quorum: { name: string | undefined } | undefined
}

/** Throws `PolicyMalformed` for anything that is not exactly a policy: none is read in part. */
export function parsePolicy(hash: Hash, text: string): Policy {
  if (utf8(text).length > POLICY_MAX) throw new PolicyMalformed(1, `a policy has at most ${POLICY_MAX} bytes`)
  const lines = text.split('\n')
  if (lines.pop() !== '') throw new PolicyMalformed(lines.length + 1, 'a line ends with a newline')
  const draft: Draft = { logs: [], witnesses: [], groups: new Map(), placed: new Set(), quorum: undefined }
  for (const [i, line] of lines.entries()) {
    const why = take(hash, draft, line)
    if (why !== undefined) throw new PolicyMalformed(i + 1, why)
  }
  const { logs, witnesses, groups, quorum } = draft
  if (quorum === undefined) throw new PolicyMalformed(Math.max(lines.length, 1), 'there is no quorum line')
  return { logs, witnesses, groups, quorum: quorum.name }
}

/** Reads one line into the draft; answers why it cannot. */
function take(hash: Hash, draft: Draft, line: string): string | undefined {
  if (hasControl(line)) return 'a control character'
  const [word, ...rest] = line.split(/[ \t]+/).filter((part) => part !== '')
  if (word === undefined || word.startsWith('#')) return undefined
  if (word === 'log') return takeLog(hash, draft, rest)
  if (word === 'witness') return takeWitness(hash, draft, rest)
  if (word === 'group') return takeGroup(draft, rest)
  if (word === 'quorum') return takeQuorum(draft, rest)
  return 'it begins with none of log, witness, group, quorum'
}

function takeLog(hash: Hash, { logs }: Draft, [vkey = '', url, ...more]: readonly string[]): string | undefined {
  const key = parseVkey(hash, vkey)
  if (more.length > 0 || key?.type !== NOTE_TYPE.ed25519) return 'expected log <vkey of type 01> [<url>]'
  if (url !== undefined && !isSafeUrl(url)) return URL_EXPECTED
  if (isKnown(logs, key)) return 'the key stands on another log line'
  if (logs.length === LINES_MAX) return `more than ${LINES_MAX} logs`
  logs.push({ key, url })
  return undefined
}

function takeWitness(hash: Hash, draft: Draft, [name, vkey = '', url, ...more]: readonly string[]): string | undefined {
  const key = parseVkey(hash, vkey)
  if (more.length > 0 || name === undefined || key?.type !== NOTE_TYPE.cosignature)
    return 'expected witness <name> <vkey of type 04> [<url>]'
  if (url !== undefined && !isSafeUrl(url)) return URL_EXPECTED
  if (isTaken(draft, name)) return 'the name is taken'
  if (isKnown(draft.witnesses, key)) return 'the key stands on another witness line'
  if (draft.witnesses.length === LINES_MAX) return `more than ${LINES_MAX} witnesses`
  draft.witnesses.push({ name, key, url })
  return undefined
}

function takeGroup(draft: Draft, [name, threshold = '', ...members]: readonly string[]): string | undefined {
  if (name === undefined || members.length === 0) return 'expected group <name> all|any|<k> <member>..'
  if (isTaken(draft, name)) return 'the name is taken'
  if (draft.groups.size === LINES_MAX) return `more than ${LINES_MAX} groups`
  const fault = place(draft, members)
  if (fault !== undefined) return fault
  const k = countOf(threshold, members.length)
  if (k < 1 || k > members.length) return 'expected all, any or a number from 1 to that of the members'
  draft.groups.set(name, { k, members })
  return undefined
}

function takeQuorum(draft: Draft, [name, ...more]: readonly string[]): string | undefined {
  if (name === undefined || more.length > 0) return 'expected quorum <name>|none'
  if (draft.quorum !== undefined) return 'a second quorum line'
  if (!isTaken(draft, name)) return 'the name is not defined above'
  draft.quorum = { name: name === 'none' ? undefined : name }
  return undefined
}

const URL_EXPECTED = 'expected a URL of https, or of http on loopback, without user, query or fragment'

/** What a node may be made to ask: never in the clear beyond its own machine. */
function isSafeUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || /[?#]/.test(text) || url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
}

/** `hostname` as `URL` has it. */
const isLoopbackHost = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.[0-9]+\.[0-9]+\.[0-9]+$/.test(hostname)

/** Two keys are the same if their public keys are, under whatever names. */
const isKnown = (known: readonly Trusted[], { publicKey }: VerifierKey): boolean =>
  known.some(({ key }) => equal(key.publicKey, publicKey))

const isTaken = ({ witnesses, groups }: Pick<Draft, 'witnesses' | 'groups'>, name: string): boolean =>
  name === 'none' || groups.has(name) || witnesses.some((one) => one.name === name)

/** Each counts once, so that no witness can stand for two. */
function place({ placed, ...draft }: Draft, members: readonly string[]): string | undefined {
  for (const member of members) {
    if (member === 'none' || !isTaken(draft, member)) return 'a member is not defined above'
    if (placed.has(member)) return 'a member is in a group already'
    placed.add(member)
  }
  return undefined
}

/** 0 for what is no threshold. */
function countOf(threshold: string, members: number): number {
  if (threshold === 'all') return members
  if (threshold === 'any') return 1
  return /^[1-9][0-9]?$/.test(threshold) ? Number(threshold) : 0
}

function hasControl(line: string): boolean {
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true
  }
  return false
}

/** What a policy says of one note. */
export interface Witnessed {
  /** By the policy's names, the second at which each cosigned. */
  cosigned: ReadonlyMap<string, bigint>
  /** Whether they are enough. */
  quorum: boolean
  missing: readonly string[]
}

/** Which of the policy's witnesses cosigned the note; whether its log is one of the policy's is not asked here. */
export function witnessedBy(policy: Policy, note: Note, verify: VerifyEd25519): Witnessed {
  const cosigned = new Map<string, bigint>()
  for (const { name, key } of policy.witnesses) {
    const seconds = cosignedAt(note, key, verify)
    if (seconds !== undefined) cosigned.set(name, seconds)
  }
  const missing = policy.witnesses.map(({ name }) => name).filter((name) => !cosigned.has(name))
  return { cosigned, quorum: quorumHolds(policy, cosigned), missing }
}

/** Whether these witnesses, by the policy's names, make the quorum. */
export function quorumHolds({ groups, quorum }: Policy, cosigned: { has(name: string): boolean }): boolean {
  const holds = (name: string): boolean => {
    const group = groups.get(name)
    return group === undefined ? cosigned.has(name) : group.members.filter(holds).length >= group.k
  }
  return quorum === undefined || holds(quorum)
}

/** Whether the policy accepts checkpoints of the log: it names its very key, or no log at all. */
export const trustsLog = ({ logs }: Policy, log: VerifierKey): boolean =>
  logs.length === 0 || logs.some(({ key }) => key.name === log.name && equal(key.publicKey, log.publicKey))
