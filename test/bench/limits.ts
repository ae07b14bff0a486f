import { LIMITS } from '../../src/http/limits.ts'

/** Raised so that 256 clients on one address measure the node and not its limits; everything else is as in production. */
export const REQUESTS = { perSecond: 2_000, burst: 4_000 }
export const CONNECTIONS = { connectionRate: 200, connectionBurst: 400 }

/** Every limit that was raised, as it is printed. */
export const RAISED: readonly string[] = [
  `requests of a credential: ${REQUESTS.perSecond} a second, ${REQUESTS.burst} at once (${LIMITS.requests_per_credential_per_second}, ${LIMITS.requests_per_credential_burst})`,
  `new connections of an address: ${CONNECTIONS.connectionRate} a second, ${CONNECTIONS.connectionBurst} at once (${LIMITS.new_connections_per_address_per_second}, ${LIMITS.new_connections_per_address_burst})`,
]
