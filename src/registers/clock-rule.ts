/**
 * When a request is due: one month after it came, two more where it was extended (Regulation (EU) 2016/679, article 12(3)). A
 * month ends on the day of the same number, or on the last one of a shorter month (Regulation (EEC) 1182/71, article 3).
 */
export function dueAt(received: Date, extended: boolean): Date {
  const months = extended ? 3 : 1
  const [year, month] = [received.getUTCFullYear(), received.getUTCMonth() + months]
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const due = new Date(received)
  due.setUTCFullYear(year, month, Math.min(received.getUTCDate(), last))
  return due
}

export type Urgency = 'closed' | 'overdue' | 'soon' | 'running'

const SOON_MS = 7 * 86_400_000

export function urgencyOf({ due, closed }: { due: Date; closed: Date | undefined }, now: Date): Urgency {
  if (closed !== undefined) return 'closed'
  if (due <= now) return 'overdue'
  return due.getTime() - now.getTime() <= SOON_MS ? 'soon' : 'running'
}
