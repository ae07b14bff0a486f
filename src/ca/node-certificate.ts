import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../kernel/clock.ts'
import { writeDurably } from '../kernel/durable.ts'
import { StartRefused } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import { DAY_MS, issueServerCertificate } from './ca.ts'
import { readKeyFile, readTextFile } from './files.ts'
import type { CaSigner } from './signer.ts'

export interface NodeCertificate {
  /** PEM, PKCS #8. */
  key: string
  /** PEM: leaf, then the issuer. */
  chain: string
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex; stands in one-time codes, so the key stays when the leaf is renewed. */
  spki: string
  notAfter: Date
}

/** Id of the extended key usage by which it names itself to receivers of webhooks. */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
/** Days before its end at which a node's leaf is replaced. */
const RENEW_DAYS = 30

/**
 * The node's own key and a certificate for `hosts` by the programme's CA, in a folder: made when missing, renewed in its
 * last thirty days, as far as the CA's issuer lasts, or when the hosts changed. Call it again to renew. `StartRefused` once the
 * issuer has ended.
 */
export async function nodeCertificate(
  dir: string,
  { ca, hosts, clock }: { ca: CaSigner; hosts: readonly string[]; clock: Clock },
): Promise<NodeCertificate> {
  const issuerEnds = new X509Certificate(ca.issuerCertificate()).validToDate
  if (clock() >= issuerEnds)
    throw new StartRefused("the certificate of the CA's issuer has ended: aldis ca renew, then start again")
  const key = readKeyFile(join(dir, 'node.key')) ?? freshKey(dir)
  const present = readTextFile(join(dir, 'node.crt'))
  const chain = present !== undefined && isGood(present, { key, hosts, now: clock(), issuerEnds }) ? present : undefined
  const text = chain ?? (await renewed(dir, { ca, hosts, clock, key }))
  const leaf = new X509Certificate(text)
  return {
    key: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
    chain: text,
    spki: sha256(leaf.publicKey.export({ format: 'der', type: 'spki' })).toString('hex'),
    notAfter: leaf.validToDate,
  }
}

function freshKey(dir: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeDurably(join(dir, 'node.key'), privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), 0o600)
  return privateKey
}

async function renewed(
  dir: string,
  { ca, hosts, clock, key }: { ca: CaSigner; hosts: readonly string[]; clock: Clock; key: KeyObject },
): Promise<string> {
  const ips = hosts.filter((host) => isIP(host) !== 0)
  const dnsNames = hosts.filter((host) => isIP(host) === 0)
  const { chain } = await issueServerCertificate(ca, { key, dnsNames, ips, now: clock() })
  writeDurably(join(dir, 'node.crt'), chain)
  return chain
}

interface Wanted {
  key: KeyObject
  hosts: readonly string[]
  now: Date
  issuerEnds: Date
}

function isGood(chain: string, { key, hosts, now, issuerEnds }: Wanted): boolean {
  const leaf = new X509Certificate(chain)
  // None lasts longer than its issuer: another one would end no later.
  const enough = Math.min(now.getTime() + RENEW_DAYS * DAY_MS, issuerEnds.getTime())
  if (!leaf.checkPrivateKey(key) || leaf.validToDate.getTime() < enough) return false
  // One of before nodes had to say who they are to others.
  if (leaf.keyUsage?.includes(CLIENT_AUTH) !== true) return false
  return hosts.every((host) => (isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) !== undefined)
}
