/** Log after log: an order over the entries of all logs of a node, in which those of the first have their own index. */
export const placeOf = (logId: number, idx: bigint): bigint => (BigInt(logId - 1) << 48n) + idx
