import { check, libc } from "../../ffi/mod.ts";
import { ip_mreqn, ipv6_mreq } from "../../ffi/layout/linux.ts";
import { parseIpv4, parseIpv6 } from "../../ffi/layout/ip_address.ts";
import { AF_INET } from "../../ffi/layout/socket_address.ts";
import { requireBoolean, shown } from "./arguments.ts";
import { type Fd, numberOf } from "./fd.ts";

const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_BROADCAST = 6;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_TTL = 2;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_DROP_MEMBERSHIP = 36;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_JOIN_GROUP = 20;
const IPV6_LEAVE_GROUP = 21;
const IPV6_V6ONLY = 26;
const IPV6_TCLASS = 67;
const LARGEST_BUFFER = 0x3fffffff;

/** A network interface: its number, or an IPv4 address of its own. The kernel chooses where nothing is said. */
export type NetInterface = number | string;

function requireInteger(what: string, name: string, value: number, least: number, largest: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= largest)) {
    throw new RangeError(`${what}: ${name} is ${shown(value)}, not an integer from ${least} to ${largest}`);
  }
}

/** The options of a socket of datagrams: socket(7), ip(7), ipv6(7). A TTL is called hop limit in IPv6, TOS traffic class. */
export class IpOptions {
  readonly fd: Fd;
  readonly #isV4: boolean;

  /** `family` is of sys/socket.h. */
  constructor(fd: Fd, family: number) {
    this.fd = fd;
    this.#isV4 = family === AF_INET;
  }

  /** Whether it speaks IPv6, and IPv4 alone otherwise. */
  get isIpv6(): boolean {
    return !this.#isV4;
  }

  /** Whether it may send to broadcast addresses: SO_BROADCAST. */
  get isBroadcast(): boolean {
    return this.#get(SOL_SOCKET, SO_BROADCAST) !== 0;
  }

  /** Without it, sending to a broadcast address fails with `EACCES`. */
  setBroadcast(on: boolean): void {
    requireBoolean("cannot set broadcast", on);
    this.#set(SOL_SOCKET, SO_BROADCAST, on ? 1 : 0);
  }

  /** Over how many routers a datagram goes. */
  get ttl(): number {
    return this.#isV4 ? this.#get(IPPROTO_IP, IP_TTL) : this.#get(IPPROTO_IPV6, IPV6_UNICAST_HOPS);
  }

  setTtl(hops: number): void {
    requireInteger("cannot set a TTL", "hops", hops, 1, 255);
    if (this.#isV4) this.#set(IPPROTO_IP, IP_TTL, hops);
    else this.#set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops);
  }

  /** The type of service: DSCP in its upper six bits, ECN in its lower two. */
  get tos(): number {
    return this.#isV4 ? this.#get(IPPROTO_IP, IP_TOS) : this.#get(IPPROTO_IPV6, IPV6_TCLASS);
  }

  setTos(tos: number): void {
    requireInteger("cannot set a type of service", "tos", tos, 0, 255);
    if (this.#isV4) this.#set(IPPROTO_IP, IP_TOS, tos);
    else this.#set(IPPROTO_IPV6, IPV6_TCLASS, tos);
  }

  /** Whether IPv4 is shut out of a socket of IPv6. */
  get isIpv6Only(): boolean {
    return !this.#isV4 && this.#get(IPPROTO_IPV6, IPV6_V6ONLY) !== 0;
  }

  /** Bytes that wait to be sent, the kernel's own among them: SO_SNDBUF. */
  get sendBufferSize(): number {
    return this.#get(SOL_SOCKET, SO_SNDBUF);
  }

  /** The kernel doubles it, and keeps to its least and largest (`net.core.wmem_max`). */
  setSendBufferSize(bytes: number): void {
    requireInteger("cannot set a socket's buffer", "bytes", bytes, 1, LARGEST_BUFFER);
    this.#set(SOL_SOCKET, SO_SNDBUF, bytes);
  }

  /** Bytes that wait to be received, the kernel's own among them: SO_RCVBUF. What comes when it is full is lost. */
  get receiveBufferSize(): number {
    return this.#get(SOL_SOCKET, SO_RCVBUF);
  }

  /** The kernel doubles it, and keeps to its least and largest (`net.core.rmem_max`). */
  setReceiveBufferSize(bytes: number): void {
    requireInteger("cannot set a socket's buffer", "bytes", bytes, 1, LARGEST_BUFFER);
    this.#set(SOL_SOCKET, SO_RCVBUF, bytes);
  }

  /** Receives what is sent to the group, at an interface. Throws a `SystemError`: `EADDRINUSE` where it does already. */
  joinMulticast(group: string, at?: NetInterface): void {
    this.#member("join", group, at, IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP);
  }

  /** Throws a `SystemError`: `EADDRNOTAVAIL` where it is no member. Closing leaves all groups. */
  leaveMulticast(group: string, at?: NetInterface): void {
    this.#member("leave", group, at, IP_DROP_MEMBERSHIP, IPV6_LEAVE_GROUP);
  }

  /** Whether datagrams to a group come back to this machine's members. In IPv4 the sender's word counts. */
  get isMulticastLoop(): boolean {
    return this.#multicast(IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP) !== 0;
  }

  setMulticastLoop(on: boolean): void {
    requireBoolean("cannot set multicast's loop", on);
    this.#setMulticast(IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, on ? 1 : 0);
  }

  /** Over how many routers a datagram to a group goes: 1 at first, which stays in the network. */
  get multicastTtl(): number {
    return this.#multicast(IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS);
  }

  setMulticastTtl(hops: number): void {
    requireInteger("cannot set multicast's TTL", "hops", hops, 0, 255);
    this.#setMulticast(IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, hops);
  }

  /** Where datagrams to groups leave. */
  setMulticastInterface(at: NetInterface): void {
    const what = "cannot set multicast's interface";
    if (this.#isV4) this.#setBytes(IPPROTO_IP, IP_MULTICAST_IF, request4(what, [0, 0, 0, 0], at));
    else this.#set(IPPROTO_IPV6, IPV6_MULTICAST_IF, interfaceNumber(what, at));
  }

  /** What went wrong since it was last asked (`SO_ERROR`), as errno(3) has it, or 0. */
  takeErrorNumber(): number {
    return this.#get(SOL_SOCKET, SO_ERROR);
  }

  #multicast(v4: number, v6: number): number {
    return this.#isV4 ? this.#get(IPPROTO_IP, v4) : this.#get(IPPROTO_IPV6, v6);
  }

  #setMulticast(v4: number, v6: number, value: number): void {
    if (this.#isV4) this.#set(IPPROTO_IP, v4, value);
    else this.#set(IPPROTO_IPV6, v6, value);
  }

  #member(verb: string, group: string, at: NetInterface = 0, v4: number, v6: number): void {
    const what = `cannot ${verb} ${shown(group)}`;
    const address = typeof group !== "string" ? undefined : this.#isV4 ? parseIpv4(group) : parseIpv6(group);
    if (address === undefined) {
      throw new TypeError(`${what}: it is no numeric IPv${this.#isV4 ? 4 : 6} address, as the socket's is`);
    }
    if (this.#isV4) {
      this.#setBytes(IPPROTO_IP, v4, request4(what, address, at), group);
      return;
    }
    const bytes = new Uint8Array(ipv6_mreq.size);
    const request = ipv6_mreq.view(bytes);
    request.ipv6mr_multiaddr.set(address);
    request.ipv6mr_interface = interfaceNumber(what, at);
    this.#setBytes(IPPROTO_IPV6, v6, bytes, group);
  }

  #set(level: number, name: number, value: number): void {
    this.#setBytes(level, name, Int32Array.of(value));
  }

  #setBytes(level: number, name: number, value: ArrayBufferView<ArrayBuffer>, path?: string): void {
    check(libc().setsockopt(numberOf(this.fd), level, name, value, value.byteLength), "setsockopt", { path });
  }

  #get(level: number, name: number): number {
    const value = new Int32Array(1);
    check(libc().getsockopt(numberOf(this.fd), level, name, value, Uint32Array.of(4)), "getsockopt");
    return value[0];
  }
}

function interfaceNumber(what: string, at: NetInterface): number {
  if (typeof at !== "number" || !Number.isInteger(at) || at < 0 || at > 0x7fffffff) {
    throw new TypeError(`${what}: the interface is ${shown(at)}, and no interface's number`);
  }
  return at;
}

function request4(what: string, group: number[], at: NetInterface): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ip_mreqn.size);
  const request = ip_mreqn.view(bytes);
  request.imr_multiaddr.set(group);
  if (typeof at === "string") {
    const address = parseIpv4(at);
    if (address === undefined) {
      throw new TypeError(`${what}: ${shown(at)} is no numeric IPv4 address of an interface`);
    }
    request.imr_address.set(address);
  } else {
    request.imr_ifindex = interfaceNumber(what, at);
  }
  return bytes;
}
