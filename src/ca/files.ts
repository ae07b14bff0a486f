import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock } from '../kernel/clock.ts'
import { syncFolder, writeDurably } from '../kernel/durable.ts'
import { StartRefused } from '../kernel/errors.ts'
import { type CaKey, createIssuer, createRoot } from './ca.ts'
import { type CaSigner, keySigner } from './signer.ts'

/** Common names of the two CA certificates. Anyone who connects is shown them before proving anything. */
export interface CaNames {
  root: string
  issuer: string
}

/** They tell nothing of programme, operator or place; what replaces them should not either. */
export const NEUTRAL_NAMES: CaNames = { root: 'Root 1', issuer: 'Issuer 1' }

export interface CaOptions {
  clock: Clock
  names?: CaNames
}

export interface ProgrammeCa extends CaSigner {
  /** PEM; what nodes trust. */
  rootCertificate(): string
}

/** In the order in which they come into the folder: with the last one it is a CA. */
const FILES = ['root.key', 'issuer.key', 'issuer.crt', 'root.crt'] as const
const ASIDE = /^\.[0-9]+\.new$/

/**
 * Makes a folder of `root.key`, `root.crt`, `issuer.key`, `issuer.crt`; an empty one may be there, also a volume or a symbolic link
 * to one. What an interruption left is ended by the next try, or made anew. Issuing needs the issuer alone: take `root.key` away
 * and keep it offline.
 */
export async function createProgrammeCa(
  dir: string,
  { clock, names = NEUTRAL_NAMES }: CaOptions,
): Promise<ProgrammeCa> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  syncFolder(dirname(dir))
  const there = readdirSync(dir)
  const root = readTextFile(join(dir, 'root.key'))
  const left = there.find((name) => ASIDE.test(name) && root !== undefined && keyIn(join(dir, name)) === root)
  if (left === undefined && there.some((name) => !ASIDE.test(name))) throw notEmpty(dir)
  const aside = join(dir, left ?? `.${process.pid}.new`)
  if (left === undefined) {
    rmSync(aside, { recursive: true, force: true })
    write(aside, 'root', await createRoot(names.root, clock()))
    await renewIssuer(aside, { clock, names })
    // Of two that make it one has its key here; the other's is never used.
    if (!linked(aside, dir, 'root.key')) {
      rmSync(aside, { recursive: true })
      throw notEmpty(dir)
    }
  }
  for (const name of FILES) {
    syncFolder(dir)
    linked(aside, dir, name)
  }
  syncFolder(dir)
  for (const name of readdirSync(dir)) if (ASIDE.test(name)) rmSync(join(dir, name), { recursive: true, force: true })
  return openProgrammeCa(dir)
}

const keyIn = (dir: string): string | undefined => readTextFile(join(dir, 'root.key'))

const notEmpty = (dir: string): StartRefused =>
  new StartRefused(`${dir}: is no empty folder; a CA is not made over another`)

/** False where a file of that name is there already. */
function linked(from: string, to: string, name: string): boolean {
  try {
    linkSync(join(from, name), join(to, name))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Puts a fresh issuer key and certificate of one year in place of the old ones; needs `root.key`. */
export async function renewIssuer(dir: string, { clock, names = NEUTRAL_NAMES }: CaOptions): Promise<ProgrammeCa> {
  const key = join(dir, 'root.key')
  if (readKeyFile(key) === undefined)
    throw new StartRefused(`${key}: is missing; put the key of the root back for this command, and take it away again`)
  const root = readPair(dir, 'root')
  write(dir, 'issuer', await createIssuer(keySigner(root.privateKey, root.certificate), names.issuer, clock()))
  return openProgrammeCa(dir)
}

/** The issuer of a folder that `createProgrammeCa` made. `StartRefused` if another user could have read its key. */
export function openProgrammeCa(dir: string): ProgrammeCa {
  const { privateKey, certificate } = readPair(dir, 'issuer')
  const root = readText(join(dir, 'root.crt'))
  return { ...keySigner(privateKey, certificate), rootCertificate: () => root }
}

function readPair(dir: string, name: string): CaKey {
  const privateKey = readKey(join(dir, `${name}.key`))
  const certificate = readText(join(dir, `${name}.crt`))
  if (!matches(certificate, privateKey)) throw new StartRefused(`${join(dir, `${name}.crt`)}: is not over ${name}.key`)
  return { privateKey, certificate }
}

function matches(certificate: string, key: KeyObject): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(key)
  } catch {
    return false
  }
}

function readKey(path: string): KeyObject {
  const key = readKeyFile(path)
  if (key === undefined) throw new StartRefused(`${path}: is missing`)
  return key
}

/** A P-256 key that only its owner can read; undefined if the file is not there, `StartRefused` if others may read it. */
export function readKeyFile(path: string): KeyObject | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if ((stat.mode & 0o077) !== 0) throw new StartRefused(`${path}: other users may read it; chmod 600`)
  if (process.getuid !== undefined && stat.uid !== process.getuid()) {
    throw new StartRefused(`${path}: belongs to another user; chown it to the one that runs the CA`)
  }
  const key = parseKey(readFileSync(path))
  if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new StartRefused(`${path}: is not a P-256 key`)
  return key
}

function parseKey(pem: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

function readText(path: string): string {
  const text = readTextFile(path)
  if (text === undefined) throw new StartRefused(`${path}: is missing`)
  return text
}

export const readTextFile = (path: string): string | undefined =>
  statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(path, 'utf8')

function write(dir: string, name: string, { privateKey, certificate }: CaKey): void {
  writeDurably(join(dir, `${name}.key`), privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), 0o600)
  writeDurably(join(dir, `${name}.crt`), `${certificate.trim()}\n`)
}
