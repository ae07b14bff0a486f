/** Gives the present; services never ask the database or `Date` for it. */
export type Clock = () => Date

export const systemClock: Clock = () => new Date()
