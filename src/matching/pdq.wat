;; Search in an index of PDQ hashes, laid out by pdq.ts. A hash is 32 bytes; an address is a byte offset into the memory.
;; Each step runs over a whole list before the next begins: its loads do not wait for one another, and most branches are
;; foreseen. Popcount is scalar: one instruction for 64 bits.
(module
  (import "host" "memory" (memory 1))

  ;; Buckets that hold anything, among a chunk's value with each of the flips; answers the end of the list at $out.
  ;; Each one is written, and overwritten by the next unless its bit is set: a branch would be mispredicted.
  (func $occupied
    (param $value i32) (param $flips i32) (param $end i32) (param $bits i32) (param $out i32) (result i32)
    (local $bucket i32)
    (loop $next
      (i32.store (local.get $out)
        (local.tee $bucket (i32.xor (local.get $value) (i32.load (local.get $flips)))))
      (local.set $out (i32.add (local.get $out)
        (i32.shl
          (i32.and
            (i32.shr_u
              (i32.load (i32.add (local.get $bits)
                (i32.shl (i32.shr_u (local.get $bucket) (i32.const 5)) (i32.const 2))))
              (local.get $bucket)) ;; taken modulo 32
            (i32.const 1))
          (i32.const 2))))
      (br_if $next
        (i32.lt_u (local.tee $flips (i32.add (local.get $flips) (i32.const 4))) (local.get $end))))
    (local.get $out))

  ;; What stands for an occupied bucket in `slots`, by its rank among the occupied ones: its one entry, or the highest bit
  ;; and where in `more` the number of its entries stands, before them. `ranks` has the rank of each line of 512 bits: what
  ;; is counted from there is in the cache since the bucket's bit was looked at.
  (func $slot (param $bucket i32) (param $bits i32) (param $ranks i32) (param $slots i32) (result i32)
    (local $word i32) (local $rank i32) (local $from i32)
    (local.set $from (i32.add (local.get $bits) (i32.shl (i32.shr_u (local.get $bucket) (i32.const 9)) (i32.const 6))))
    (local.set $word (i32.add (local.get $bits) (i32.shl (i32.shr_u (local.get $bucket) (i32.const 6)) (i32.const 3))))
    (local.set $rank (i32.load
      (i32.add (local.get $ranks) (i32.shl (i32.shr_u (local.get $bucket) (i32.const 9)) (i32.const 2)))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $word)))
        (local.set $rank (i32.add (local.get $rank) (i32.wrap_i64 (i64.popcnt (i64.load (local.get $from))))))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (br $next)))
    (i32.load
      (i32.add (local.get $slots)
        (i32.shl
          (i32.add
            (local.get $rank)
            (i32.wrap_i64 (i64.popcnt
              (i64.and
                (i64.load (local.get $word))
                (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $bucket))) (i64.const 1))))))
          (i32.const 2)))))

  ;; Copies the entries of the buckets listed from $list to $end to $out; answers the end of it, or 0 where they are more
  ;; than fit below $limit.
  (func $gather
    (param $list i32) (param $end i32) (param $chunk i32) (param $out i32) (param $limit i32) (result i32)
    (local $bits i32) (local $ranks i32) (local $slots i32) (local $more i32) (local $slot i32) (local $from i32)
    (local $bytes i32)
    (local.set $bits (i32.load offset=16 (local.get $chunk)))
    (local.set $ranks (i32.load offset=20 (local.get $chunk)))
    (local.set $slots (i32.load offset=24 (local.get $chunk)))
    (local.set $more (i32.load offset=28 (local.get $chunk)))
    (block $done
      (loop $bucket
        (br_if $done (i32.ge_u (local.get $list) (local.get $end)))
        (if (i32.ge_u (local.get $out) (local.get $limit)) (then (return (i32.const 0))))
        (i32.store (local.get $out)
          (local.tee $slot (call $slot
            (i32.load (local.get $list)) (local.get $bits) (local.get $ranks) (local.get $slots))))
        (local.set $list (i32.add (local.get $list) (i32.const 4)))
        (if (i32.ge_s (local.get $slot) (i32.const 0))
          (then
            (local.set $out (i32.add (local.get $out) (i32.const 4)))
            (br $bucket)))
        ;; The highest bit is shifted out.
        (local.set $from (i32.add (local.get $more) (i32.shl (local.get $slot) (i32.const 2))))
        (local.set $bytes (i32.shl (i32.load (local.get $from)) (i32.const 2)))
        (if (i32.gt_u (local.get $bytes) (i32.sub (local.get $limit) (local.get $out)))
          (then (return (i32.const 0))))
        (memory.copy (local.get $out) (i32.add (local.get $from) (i32.const 4)) (local.get $bytes))
        (local.set $out (i32.add (local.get $out) (local.get $bytes)))
        (br $bucket)))
    (local.get $out))

  ;; Bits in which two hashes differ.
  (func $distance (param $a i32) (param $b i32) (result i32)
    (i32.wrap_i64
      (i64.add
        (i64.add
          (i64.popcnt (i64.xor (i64.load (local.get $a)) (i64.load (local.get $b))))
          (i64.popcnt (i64.xor (i64.load offset=8 (local.get $a)) (i64.load offset=8 (local.get $b)))))
        (i64.add
          (i64.popcnt (i64.xor (i64.load offset=16 (local.get $a)) (i64.load offset=16 (local.get $b))))
          (i64.popcnt (i64.xor (i64.load offset=24 (local.get $a)) (i64.load offset=24 (local.get $b))))))))

  ;; Writes the entries listed from $list to $end that are within $most to $out, as pairs of entry and distance, each once:
  ;; one that several chunks found bears the stamp of this search. Answers the end of what is written.
  (func $verify
    (param $query i32) (param $most i32) (param $list i32) (param $end i32)
    (param $hashes i32) (param $stamps i32) (param $stamp i32) (param $out i32) (result i32)
    (local $id i32) (local $distance i32) (local $mark i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $list) (local.get $end)))
        (local.set $id (i32.load (local.get $list)))
        (local.set $list (i32.add (local.get $list) (i32.const 4)))
        (local.set $distance (call $distance
          (local.get $query)
          (i32.add (local.get $hashes) (i32.shl (local.get $id) (i32.const 5)))))
        (br_if $next (i32.gt_u (local.get $distance) (local.get $most)))
        (local.set $mark (i32.add (local.get $stamps) (i32.shl (local.get $id) (i32.const 2))))
        (br_if $next (i32.eq (i32.load (local.get $mark)) (local.get $stamp)))
        (i32.store (local.get $mark) (local.get $stamp))
        (i32.store (local.get $out) (local.get $id))
        (i32.store offset=4 (local.get $out) (local.get $distance))
        (local.set $out (i32.add (local.get $out) (i32.const 8)))
        (br $next)))
    (local.get $out))

  ;; Every one of $n hashes within $most of the query, as pairs at $out; answers how many.
  (func $scan (export "scan")
    (param $query i32) (param $most i32) (param $hashes i32) (param $n i32) (param $out i32) (result i32)
    (local $id i32) (local $distance i32) (local $first i32)
    (local.set $first (local.get $out))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $id) (local.get $n)))
        (local.set $distance (call $distance (local.get $query) (local.get $hashes)))
        (local.set $hashes (i32.add (local.get $hashes) (i32.const 32)))
        (if (i32.le_u (local.get $distance) (local.get $most))
          (then
            (i32.store (local.get $out) (local.get $id))
            (i32.store offset=4 (local.get $out) (local.get $distance))
            (local.set $out (i32.add (local.get $out) (i32.const 8)))))
        (local.set $id (i32.add (local.get $id) (i32.const 1)))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $out) (local.get $first)) (i32.const 3)))

  ;; As $scan, by the chunks described from $chunk to $end; -1 where so many entries share buckets with the query that
  ;; they do not fit from $entries to $limit: then a scan is faster. A chunk is eight words: its first bit, its mask, the
  ;; flips and their end, bits, ranks, slots, more.
  (func (export "search")
    (param $query i32) (param $most i32) (param $chunk i32) (param $end i32)
    (param $hashes i32) (param $stamps i32) (param $stamp i32)
    (param $buckets i32) (param $entries i32) (param $limit i32) (param $out i32) (result i32)
    (local $bit i32) (local $last i32) (local $first i32)
    (local.set $first (local.get $out))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $chunk) (local.get $end)))
        (local.set $bit (i32.load (local.get $chunk)))
        (local.set $last (call $occupied
          (i32.and
            (i32.wrap_i64
              (i64.shr_u
                (i64.load (i32.add (local.get $query) (i32.shr_u (local.get $bit) (i32.const 3))))
                (i64.extend_i32_u (i32.and (local.get $bit) (i32.const 7)))))
            (i32.load offset=4 (local.get $chunk)))
          (i32.load offset=8 (local.get $chunk))
          (i32.load offset=12 (local.get $chunk))
          (i32.load offset=16 (local.get $chunk))
          (local.get $buckets)))
        (local.set $last (call $gather
          (local.get $buckets) (local.get $last) (local.get $chunk) (local.get $entries) (local.get $limit)))
        (if (i32.eqz (local.get $last)) (then (return (i32.const -1))))
        (local.set $out (call $verify
          (local.get $query) (local.get $most) (local.get $entries) (local.get $last)
          (local.get $hashes) (local.get $stamps) (local.get $stamp) (local.get $out)))
        ;; What was looked at counts towards the limit.
        (local.set $limit (i32.sub (local.get $limit) (i32.sub (local.get $last) (local.get $entries))))
        (local.set $chunk (i32.add (local.get $chunk) (i32.const 32)))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $out) (local.get $first)) (i32.const 3))))
