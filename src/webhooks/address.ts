import { BlockList, isIP } from 'node:net'

/** Networks that belong to nobody outside, by the registries of RFC 6890 and what they list since. */
const INSIDE_4 = [
  ...(['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'] as const),
  ...(['192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24'] as const),
  ...(['192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'] as const),
  ...(['224.0.0.0/4', '240.0.0.0/4'] as const),
]
/** Of version 6 only global unicast is outside, and of that not what hides an address of version 4 or is for documents. */
const OUTSIDE_6 = '2000::/3'
const INSIDE_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'] as const

const inside4 = listOf(INSIDE_4, 'ipv4')
const outside6 = listOf([OUTSIDE_6], 'ipv6')
const inside6 = listOf(INSIDE_6, 'ipv6')

function listOf(networks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    list.addSubnet(address, Number(bits), family)
  }
  return list
}

/** Whether an address may be one of this machine, of its network, or of no one: nothing is posted there in production. */
export function isInside(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return inside4.check(address, 'ipv4')
  if (family === 6) return !outside6.check(address, 'ipv6') || inside6.check(address, 'ipv6')
  return true
}

/** Who may be called: the hosts that the operator enrolled for each organisation. */
export type EnrolledHosts = ReadonlyMap<string, ReadonlySet<string>>

const URL_MAX = 512

/**
 * The URL in its one writing if an organisation may be called there; otherwise why not. No user, password, query or
 * fragment: what stands in a URL is shown.
 */
export function endpointUrl(
  text: string,
  { organisation, hosts }: { organisation: string; hosts: EnrolledHosts },
): { url: string } | { fault: string } {
  const url = text.length <= URL_MAX && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return { fault: 'write a URL such as https://hooks.example.org/aldis' }
  if (url.protocol !== 'https:') return { fault: 'only https is posted to' }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return { fault: 'a URL without user, password, query and fragment; messages are signed instead' }
  if (hosts.get(organisation)?.has(url.hostname) !== true)
    return { fault: "the node's operator has not enrolled this host for your organisation (WEBHOOK_HOSTS)" }
  return { url: url.href }
}
