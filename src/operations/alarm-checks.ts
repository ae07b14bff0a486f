import { X509Certificate } from 'node:crypto'

/** The part of a disk below which it is nearly full, and above which it no longer is: not to and fro with each file. */
const FREE_LEAST = 0.05
const FREE_AGAIN = 0.07
const CERTIFICATE_MS = 14 * 86_400_000
const HOUR_MS = 3_600_000

/** As statfs(2) tells; `available` to others than root. */
export interface Space {
  blocks: number
  available: number
}

export function isNearlyFull({ blocks, available }: Space, before: boolean): boolean {
  // Some file systems have no size of their own.
  if (blocks === 0) return false
  return available / blocks < (before ? FREE_AGAIN : FREE_LEAST)
}

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** Whether one of the certificates, in PEM, ends within 14 days. */
export const endsSoon = (pem: string, now: Date): boolean =>
  (pem.match(PEM) ?? []).some((one) => new X509Certificate(one).validToDate.getTime() - now.getTime() < CERTIFICATE_MS)

/** Whether the last backup is more than so many hours old, or there was none; 0 hours: backups are made by other means. */
export function isOldBackup({ last, hours, now }: { last: Date | undefined; hours: number; now: Date }): boolean {
  if (hours === 0) return false
  return last === undefined || now.getTime() - last.getTime() > hours * HOUR_MS
}
