// simt_runner.cpp - fibers + scheduler + checks. Always compiled WITHOUT -fsanitize=thread.
#include "kernels/simt/host_dialect.h"
#include "core/error.h"
#include "core/simt_memory.h"
#include <cxxabi.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <utility>
#if defined(__SANITIZE_ADDRESS__)
#define GPU_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GPU_ASAN 1
#endif
#endif
#ifdef GPU_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef GPU_VALGRIND
#include <valgrind/memcheck.h>
#endif
#if !defined(__x86_64__) && !defined(GPU_UCONTEXT)
#define GPU_UCONTEXT 1
#endif
#ifdef GPU_UCONTEXT
#include <ucontext.h>
#endif

namespace gpu {
// ------------------------------------------------------------------ fibers
static constexpr size_t kStack = 128 * 1024;
struct Fiber {
  char* base = nullptr;  // null: the OS thread's own stack
  size_t size = 0;
#ifdef GPU_UCONTEXT
  ucontext_t uc;
#else
  void* sp = nullptr;
#endif
  void* fake = nullptr;  // ASan
};
#ifndef GPU_UCONTEXT
extern "C" void simt_switch(void** save, void* to);
asm(R"(.text
.globl simt_switch
.type simt_switch,@function
simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size simt_switch,.-simt_switch
)");
#endif

enum class St : uint8_t { New, Ready, Block, Warp, Done };
struct Thread {
  uint3 tid; uint32_t lin; St st; Fiber* fiber; void* post; const char *op, *file; int line; uint32_t mask;
  void (*complete)(void**, uint32_t);
};
struct Pending { void* d; const void* s; unsigned n; };
struct WarpS { uint32_t exited, waiting; uint32_t ep; };
struct SharedVar { const void* key; const char* name; size_t off, bytes; };
static constexpr size_t kArena = 512 * 1024, kRed = 64;

static bool g_checking = false;
static Options g_opt;
static Stats g_stats;
static std::mutex g_mu;
static std::vector<std::string> g_err;
static std::set<std::string> g_seen;
Options& options() { return g_opt; }
Stats& stats() { return g_stats; }
std::vector<std::string> take_errors() { std::lock_guard l(g_mu); g_seen.clear(); return std::exchange(g_err, {}); }
static void error(std::string s, std::string dedupe = {}) {
  std::lock_guard l(g_mu);
  if (!g_seen.insert(dedupe.empty() ? s : dedupe).second || g_err.size() >= 50) return;
  g_err.push_back(std::move(s));
}

struct Cell { uint32_t wep, rep; uint16_t wtid, rtid; uint32_t wwep, rwep; bool watomic; void *wpc, *rpc; };
static constexpr unsigned kGran = 2;  // shadow granule in bytes
static constexpr uint16_t kMany = 0xffff;

struct Runner {
  std::vector<Thread> th; std::vector<WarpS> warps; std::vector<uint32_t> order, ready;
  std::vector<std::vector<Pending>> cp; std::vector<std::vector<unsigned>> cpb;
  std::vector<SharedVar> vars;
  std::vector<std::unique_ptr<Fiber>> all; std::vector<Fiber*> free;
  Fiber main; Fiber* cur_f = nullptr; Thread* cur = nullptr;
  size_t ready_at = 0, next = 0, n = 0, done = 0, at_barrier = 0;
  const char* bar_file = nullptr; int bar_line = 0; const char* bar_op = nullptr;
  char* arena; size_t used = 0, dyn_off = 0, dyn_bytes = 0;
  void (*fn)(void*) = nullptr; void* ctx = nullptr;
  uint32_t ep = 1, block_ep0 = 1, launch_ep0 = 1; bool failed = false;
  std::vector<Cell> sh;  // shadow of the arena
  uint64_t switches = 0, barriers = 0, collectives = 0, checked = 0;
  std::mt19937 rng;
  Runner() { arena = static_cast<char*>(aligned_alloc(4096, kArena)); }
  ~Runner() {
    for (auto& f : all) munmap(f->base - 4096, f->size + 4096);
    ::free(arena);
  }
};
static thread_local Runner* R = nullptr;

static void sw(Fiber* to) {
  Fiber* from = R->cur_f;
  if (to == from) return;
  R->cur_f = to;
  R->switches++;
#ifdef GPU_ASAN
  __sanitizer_start_switch_fiber(&from->fake, to->base, to->size);
#endif
#ifdef GPU_UCONTEXT
  swapcontext(&from->uc, &to->uc);
#else
  simt_switch(&from->sp, to->sp);
#endif
#ifdef GPU_ASAN
  const void* b; size_t s;
  __sanitizer_finish_switch_fiber(from->fake, &b, &s);
#endif
}
static void fiber_main();
static void prepare(Fiber* f) {
#ifdef GPU_ASAN
  __asan_unpoison_memory_region(f->base, f->size);
#endif
#ifdef GPU_UCONTEXT
  getcontext(&f->uc);
  f->uc.uc_stack.ss_sp = f->base; f->uc.uc_stack.ss_size = f->size; f->uc.uc_link = nullptr;
  makecontext(&f->uc, fiber_main, 0);
#else
  void** top = reinterpret_cast<void**>(f->base + kStack);
  *--top = nullptr;  // fake return address: ends backtraces
  *--top = reinterpret_cast<void*>(&fiber_main);
  f->sp = top - 6;
  std::memset(f->sp, 0, 48);
#endif
}
static Fiber* get_fiber() {
  if (!R->free.empty()) { Fiber* f = R->free.back(); R->free.pop_back(); return f; }
  auto f = std::make_unique<Fiber>();
  f->size = kStack;
  f->base = static_cast<char*>(mmap(nullptr, kStack + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) + 4096;
  mprotect(f->base - 4096, 4096, PROT_NONE);  // guard page
#ifdef GPU_VALGRIND
  (void)VALGRIND_STACK_REGISTER(f->base, f->base + f->size);
#endif
  prepare(f.get());
  R->all.push_back(std::move(f));
  return R->all.back().get();
}
static void set_current(Thread* t) { R->cur = t; threadIdx = t->tid; }
static Fiber* pick() {  // what to run next: released threads, then new threads, else back to the scheduler
  if (R->ready_at < R->ready.size()) {
    Thread& t = R->th[R->ready[R->ready_at++]];
    if (R->ready_at == R->ready.size()) { R->ready.clear(); R->ready_at = 0; }
    set_current(&t);
    return t.fiber;
  }
  if (R->next < R->n) return get_fiber();
  return &R->main;
}
static void block_here(Thread* t) { t->fiber = R->cur_f; sw(pick()); }
static void release(Thread& t) { t.st = St::Ready; R->ready.push_back(t.lin); }
static std::string where(const char* f, int l) { const char* s = strrchr(f, '/'); return std::string(s ? s + 1 : f) + ":" + std::to_string(l); }
static std::string who(const Thread& t) {
  char b[96]; snprintf(b, sizeof b, "block(%u,%u,%u) thread(%u,%u,%u)", blockIdx.x, blockIdx.y, blockIdx.z, t.tid.x, t.tid.y, t.tid.z); return b;
}
static void check_collective(WarpS& w, uint32_t wi, uint32_t mask);
static void release_barrier(Thread* last);

static void thread_done(Thread* t) {
  if (t->lin < R->cpb.size() && !R->cp[t->lin].empty()) {
    error("cp.async never waited for: " + who(*t), "cp-left");
    R->cp[t->lin].clear(); R->cpb[t->lin].clear();
  }
  t->st = St::Done; R->done++;
  WarpS& w = R->warps[t->lin / 32];
  w.exited |= 1u << t->lin % 32;
  if (w.waiting)  // an exited lane no longer has to arrive
    for (int l = 0; l < 32; l++)
      if (w.waiting >> l & 1) { Thread& o = R->th[t->lin / 32 * 32 + l]; check_collective(w, t->lin / 32, o.mask); }
  if (R->at_barrier) error("thread exited while others wait at " + std::string(R->bar_op) + " " + where(R->bar_file, R->bar_line) + ": " + who(*t), "exit@" + where(R->bar_file, R->bar_line));
  if (R->at_barrier && R->at_barrier == R->n - R->done) release_barrier(nullptr);  // what the hardware does
}
static void fiber_main() {
#ifdef GPU_ASAN
  __sanitizer_finish_switch_fiber(nullptr, (const void**)nullptr, nullptr);
#endif
  for (;;) {
    while (R->next < R->n) {  // barrier-free threads run here back to back: no switch at all
      Thread* t = &R->th[R->order[R->next++]];
      set_current(t);
      R->fn(R->ctx);
      thread_done(R->cur);
      if (R->ready_at < R->ready.size() && R->next >= R->n) break;
    }
    R->free.push_back(R->cur_f);
    sw(pick());
  }
}
unsigned lane() { return R->cur->lin & 31; }

static void release_barrier(Thread* last) {  // the last arriver goes on without a switch
  R->at_barrier = 0; R->ep++; R->barriers++;
  for (auto i : R->order) if (&R->th[i] != last && R->th[i].st == St::Block) release(R->th[i]);
  if (last) last->st = St::Ready;
}
void block_barrier(const char* op, const char* file, int line) {
  Thread* t = R->cur;
  t->op = op; t->file = file; t->line = line; t->st = St::Block;
  if (!R->at_barrier++) { R->bar_file = file; R->bar_line = line; R->bar_op = op;
    if (R->done) error("barrier " + where(file, line) + " reached after " + std::to_string(R->done) + " threads of the block exited: " + who(*t), "late@" + where(file, line));
  } else if (line != R->bar_line || strcmp(file, R->bar_file))
    error("divergent barrier: " + where(file, line) + " vs " + where(R->bar_file, R->bar_line) + ": " + who(*t), "div@" + where(file, line) + where(R->bar_file, R->bar_line));
  if (R->at_barrier == R->n - R->done) {
    release_barrier(t);
    if (g_opt.order) { release(*t); if (g_opt.order == 2) std::shuffle(R->ready.begin() + R->ready_at, R->ready.end(), R->rng); block_here(t); }
    return;
  }
  block_here(t);
}
static void check_collective(WarpS& w, uint32_t wi, uint32_t mask) {
  uint32_t need = mask & ~w.exited;
  if (!need || (w.waiting & need) != need) return;
  Thread* base = &R->th[wi * 32];
  void* posts[32] = {};
  const Thread& f = base[std::countr_zero(need)];
  for (int l = 0; l < 32; l++) if (need >> l & 1) {
    Thread& o = base[l];
    if (o.mask != mask) return;  // stays blocked: deadlock report names it
    if (o.op != f.op && strcmp(o.op, f.op)) { error(std::string("divergent warp collective: ") + o.op + " " + where(o.file, o.line) + " vs " + f.op + " " + where(f.file, f.line) + ": " + who(o), "wdiv" + where(o.file, o.line)); return; }
    posts[l] = o.post;
  }
  if (f.complete) f.complete(posts, need);
  R->collectives++;
  if (!strcmp(f.op, "__syncwarp")) w.ep++;  // only __syncwarp orders memory; shuffles and wmma do not
  for (int l = 0; l < 32; l++) if (need >> l & 1) { w.waiting &= ~(1u << l); if (&base[l] != R->cur || base[l].st == St::Done) release(base[l]); else base[l].st = St::Ready; }
}
void warp_collective(uint32_t mask, const char* op, void* post, void (*complete)(void**, uint32_t), const char* file, int line) {
  Thread* t = R->cur;
  WarpS& w = R->warps[t->lin / 32];
  uint32_t me = 1u << t->lin % 32;
  if (!(mask & me)) error(std::string(op) + " " + where(file, line) + ": calling lane not in mask: " + who(*t), "mask@" + where(file, line));
  t->mask = mask; t->op = op; t->file = file; t->line = line; t->post = post; t->complete = complete; t->st = St::Warp;
  w.waiting |= me;
  check_collective(w, t->lin / 32, mask);
  if (t->st == St::Warp) block_here(t);
}

// ------------------------------------------------------------------ shared memory
static size_t arena_take(size_t bytes, size_t align) {
  size_t off = (R->used + kRed + align - 1) / align * align;
  R->used = (off + bytes + 15) / 16 * 16;
  if (R->used + kRed > kArena) throw std::runtime_error("simt: shared arena exhausted");
#ifdef GPU_ASAN
  __asan_unpoison_memory_region(R->arena + off, bytes);
#endif
  std::memset(R->arena + off, 0xff, bytes);  // NaN pattern
#ifdef GPU_VALGRIND
  (void)VALGRIND_MAKE_MEM_UNDEFINED(R->arena + off, bytes);
#endif
  if (!R->sh.empty()) std::memset(static_cast<void*>(&R->sh[off / kGran]), 0, (bytes + kGran - 1) / kGran * sizeof(Cell));
  return off;
}
void* shared_ref(const void* key, const char* name, size_t bytes, size_t align) {
  for (auto& v : R->vars) if (v.key == key) return R->arena + v.off;
  size_t total = bytes + R->dyn_bytes;
  for (auto& v : R->vars) if (v.key) total += v.bytes;
  if (total > g_opt.smem_limit) error("shared memory " + std::to_string(total) + " B exceeds the limit of " + std::to_string(g_opt.smem_limit) + " B", "smem");
  R->vars.push_back({key, name, arena_take(bytes, align), bytes});
  return R->arena + R->vars.back().off;
}
void* dyn_shared() { return R->arena + R->dyn_off; }

// ------------------------------------------------------------------ cp.async: performed as late as is legal
// The copy may land at any time between issue and wait: check for races at both ends; move the data late (default) or early.
static thread_local bool g_probe = false;
static const bool g_eager = getenv("GPU_EAGER") != nullptr;
extern "C" void simt_access(void* p, unsigned n, bool write, bool atomic, void* pc);
void cp_async(void* d, const void* s, unsigned n) {
  g_probe = true; simt_access(d, n, true, false, __builtin_return_address(0)); g_probe = false;
  if (g_eager) { simt_access(d, n, true, false, __builtin_return_address(0)); std::memcpy(d, s, n); }
  R->cp[R->cur->lin].push_back({d, s, n});
}
void cp_commit() { R->cpb[R->cur->lin].push_back(unsigned(R->cp[R->cur->lin].size())); }
extern "C" void simt_access(void* p, unsigned n, bool write, bool atomic, void* pc);
void cp_wait(unsigned prior) {
  auto& q = R->cp[R->cur->lin]; auto& b = R->cpb[R->cur->lin];
  if (b.size() <= prior) return;
  unsigned upto = b[b.size() - prior - 1];
  for (unsigned i = 0; i < upto; i++) {
    simt_access(const_cast<void*>(q[i].s), q[i].n, false, false, __builtin_return_address(0));
    simt_access(q[i].d, q[i].n, true, false, __builtin_return_address(0));
    std::memcpy(q[i].d, q[i].s, q[i].n);
  }
  q.erase(q.begin(), q.begin() + upto);
  b.erase(b.begin(), b.end() - prior);
  for (auto& x : b) x -= upto;
}

// ------------------------------------------------------------------ run one block / a grid
static void run_block() {
  Runner& r = *R;
  r.next = r.done = r.at_barrier = 0; r.ready.clear(); r.ready_at = 0;
  r.vars.clear(); r.used = 0; r.failed = false;
  r.block_ep0 = ++r.ep;
#ifdef GPU_ASAN
  __asan_poison_memory_region(r.arena, kArena);
#endif
  r.dyn_off = r.dyn_bytes ? arena_take(r.dyn_bytes, 16) : kArena;
  if (r.dyn_bytes) r.vars.push_back({nullptr, "dynamic shared", r.dyn_off, r.dyn_bytes});
  for (auto& w : r.warps) w = {0, 0, 0};
  if (r.n % 32) r.warps.back().exited = ~0u << r.n % 32;
  if (g_opt.order == 2) std::shuffle(r.order.begin(), r.order.end(), r.rng);
  for (auto& t : r.th) t.st = St::New;
  while (r.done < r.n) {
    Fiber* f = pick();
    if (f == &r.main) {  // nothing can run: deadlock
      std::map<std::string, std::pair<int, std::string>> m;
      for (auto& t : r.th) if (t.st != St::Done) { auto& e = m[std::string(t.op) + " " + where(t.file, t.line)]; if (!e.first++) e.second = who(t); }
      std::string s = "deadlock in block(" + std::to_string(blockIdx.x) + "," + std::to_string(blockIdx.y) + "): " + std::to_string(r.done) + " threads exited";
      for (auto& [k, v] : m) s += "; " + std::to_string(v.first) + " wait at " + k + " (first: " + v.second + ")";
      error(s, "deadlock");
      r.failed = true;
      r.free.clear();
      for (auto& f2 : r.all) { prepare(f2.get()); r.free.push_back(f2.get()); }  // abandon the stuck frames
      return;
    }
    sw(f);
  }
}
void throw_errors(const char* operation) {
  auto errors = take_errors();
  if (errors.empty()) return;
  std::string all;
  for (auto& e : errors) all += (all.empty() ? "" : "; ") + e;
  twinage::fail("[{}] simt: {}", operation, all);
}
void run(dim3 g, dim3 b, size_t smem, void (*fn)(void*), void* ctx) {
  const twinage::simt_memory::Access access;
  size_t n = size_t(b.x) * b.y * b.z;
  if (!n || n > 1024 || b.z > 64 || !g.x || !g.y || !g.z || g.y > 65535 || g.z > 65535) { error("invalid launch configuration", ""); return; }
  if (smem > g_opt.smem_limit) { error("dynamic shared memory over the limit", ""); return; }
  size_t nb = size_t(g.x) * g.y * g.z;
  std::atomic<size_t> next{0};
  auto worker = [&] {
    static thread_local std::unique_ptr<Runner> mine;
    if (!mine) mine = std::make_unique<Runner>();
    R = mine.get();
    Runner& r = *R;
    r.cur_f = &r.main;
#ifdef GPU_ASAN
    { pthread_attr_t a; void* s; size_t z; pthread_getattr_np(pthread_self(), &a); pthread_attr_getstack(&a, &s, &z); pthread_attr_destroy(&a);
      r.main.base = static_cast<char*>(s); r.main.size = z; }
#endif
    r.fn = fn; r.ctx = ctx; r.n = n; r.dyn_bytes = smem; r.rng.seed(g_opt.seed);
    r.launch_ep0 = ++r.ep;
    blockDim = b; gridDim = g;
    r.th.resize(n); r.order.resize(n); r.warps.resize((n + 31) / 32); r.cp.resize(n); r.cpb.resize(n);
    for (size_t i = 0; i < n; i++) {
      r.th[i].tid = {unsigned(i % b.x), unsigned(i / b.x % b.y), unsigned(i / (size_t(b.x) * b.y))};
      r.th[i].lin = unsigned(i);
      r.order[i] = unsigned(g_opt.order == 1 ? n - 1 - i : i);
    }
    for (size_t k; (k = next++) < nb;) {
      blockIdx = {unsigned(k % g.x), unsigned(k / g.x % g.y), unsigned(k / (size_t(g.x) * g.y))};
      run_block();
      if (r.failed) break;
    }
    std::lock_guard l(g_mu);
    g_stats.threads += nb * n; g_stats.switches += r.switches; g_stats.barriers += r.barriers; g_stats.collectives += r.collectives; g_stats.checked += r.checked;
    r.switches = r.barriers = r.collectives = r.checked = 0;
  };
  int k = g_checking ? 1 : int(std::min<size_t>(g_opt.os_threads, nb));
  if (k <= 1) worker();
  else { std::vector<std::thread> ts; for (int i = 0; i < k; i++) ts.emplace_back(worker); for (auto& t : ts) t.join(); }
}

// ------------------------------------------------------------------ device memory + access checker
struct Alloc { size_t bytes; std::vector<Cell> cells; };
static std::map<uintptr_t, Alloc> g_alloc;
static void need_cells(Alloc& a) { if (a.cells.empty()) a.cells.resize((a.bytes + kGran - 1) / kGran); }
static void on_allocated(const twinage::simt_memory::Block& b) { g_alloc[b.begin] = {b.bytes, {}}; }
static void on_freed(const twinage::simt_memory::Block& b) { g_alloc.erase(b.begin); }
static void on_written(const void* d, size_t n) {
  auto it = g_alloc.upper_bound(uintptr_t(d));
  if (it == g_alloc.begin()) return;
  --it; need_cells(it->second);
  size_t o = uintptr_t(d) - it->first;
  for (size_t i = o / kGran; i < (o + n + kGran - 1) / kGran && i < it->second.cells.size(); i++) it->second.cells[i].wep = 1;
}
static const std::string& src_of(void* pc) {  // pc -> file:line (prototype: popen addr2line, cached)
  static std::map<void*, std::string> cache;
  auto [it, fresh] = cache.try_emplace(pc, "?");
  if (!fresh) return it->second;
  Dl_info i{};
  char cmd[512], out[512] = "?";
  if (!pc || !dladdr(pc, &i)) return it->second;
  snprintf(cmd, sizeof cmd, "addr2line -e '%s' -s 0x%zx 2>/dev/null", i.dli_fname, size_t(pc) - 1 - size_t(i.dli_fbase));
  if (FILE* f = popen(cmd, "r")) { if (fgets(out, sizeof out, f)) out[strcspn(out, "\n ")] = 0; pclose(f); }
  return it->second = out;
}
static void report(const char* kind, const char* obj, size_t off, Thread* t, void* pc, int other, void* opc) {
  char k0[128]; snprintf(k0, sizeof k0, "%s|%p|%p|%s", kind, pc, opc, obj);
  { std::lock_guard l(g_mu); if (!g_seen.insert(k0).second) return; }
  std::string key = std::string(kind) + obj + src_of(pc) + (opc ? src_of(opc) : "");
  std::string s = std::string(kind) + " on " + obj + " +" + std::to_string(off) + " at " + src_of(pc) + " by " + who(*t);
  if (opc) s += ", conflicts with " + (other < 0 || other == kMany ? std::string("other threads") : other >= 0x8000 ? "lanes of warp " + std::to_string(other & 0x7fff) : "thread #" + std::to_string(other)) + " at " + src_of(opc);
  error(s, key);
}
static inline void touch(Cell& c, bool write, bool atomic, Thread* t, void* pc, const char* obj, size_t off) {
  uint32_t ep = R->ep; uint16_t me = uint16_t(t->lin); uint32_t wep = R->warps[me / 32].ep;
  // unordered: same barrier interval of this block (and not ordered by a __syncwarp), or another block of this launch
  auto clash = [&](uint32_t cep, uint16_t ctid, uint32_t cwep) {
    if (cep < R->launch_ep0) return false;
    if (cep < R->block_ep0) return true;       // other block, same launch
    if (cep != ep || ctid == me) return false;
    if (ctid == kMany) return true;
    if (ctid >= 0x8000 && ctid != kMany) return (ctid & 0x7fff) != me / 32 ? true : cwep == wep;  // several lanes of one warp
    return ctid / 32 != me / 32 || cwep == wep;
  };
  if (false && !write && !atomic && !c.wep) report("uninitialised read", obj, off, t, pc, -1, nullptr);
  if (c.wep > 1 && !(atomic && c.watomic) && clash(c.wep, c.wtid, c.wwep)) report(write ? "race (write/write)" : "race (read after write)", obj, off, t, pc, c.wep >= R->block_ep0 ? c.wtid : -1, c.wpc);
  if (write && c.rep && clash(c.rep, c.rtid, c.rwep)) report("race (write after read)", obj, off, t, pc, c.rep >= R->block_ep0 ? c.rtid : -1, c.rpc);
  if (g_probe) return;
  if (write || atomic) { c.wep = ep; c.wtid = me; c.wwep = wep; c.watomic = atomic; c.wpc = pc; }
  else {
    if (c.rep != ep || c.rtid == me) c.rtid = me;
    else if (c.rtid != kMany) c.rtid = (c.rtid >= 0x8000 ? (c.rtid & 0x7fff) : c.rtid / 32) == me / 32 ? uint16_t(0x8000 | me / 32) : kMany;
    c.rep = ep; c.rwep = wep; c.rpc = pc;
  }
}
extern "C" void simt_access(void* p, unsigned n, bool write, bool atomic, void* pc) {
  if (!g_checking || !R || !R->cur || R->cur_f == &R->main) return;
  uintptr_t a = uintptr_t(p);
  if (a - uintptr_t(R->arena) < kArena) {
    R->checked++;
    if (R->sh.empty()) R->sh.resize(kArena / kGran);
    size_t o = a - uintptr_t(R->arena);
    const SharedVar* v = nullptr;
    for (auto& x : R->vars) if (o >= x.off && o < x.off + x.bytes) v = &x;
    if (!v || o + n > v->off + v->bytes) {
      const SharedVar* best = nullptr;
      for (auto& x : R->vars) if (x.off <= o && (!best || x.off > best->off)) best = &x;
      report(write ? "out-of-bounds shared write" : "out-of-bounds shared read", best ? best->name : "?", best ? o - best->off : 0, R->cur, pc, -1, nullptr);
      return;
    }
    if (o % n) report("misaligned shared access", v->name, o - v->off, R->cur, pc, -1, nullptr);
    for (size_t i = o / kGran; i < (o + n + kGran - 1) / kGran; i++) touch(R->sh[i], write, atomic, R->cur, pc, v->name, i * kGran - v->off);
  } else if (twinage::simt_memory::in_region(p)) {
    R->checked++;
    static std::pair<uintptr_t, Alloc*> last{0, nullptr};
    if (!last.second || a - last.first >= last.second->bytes || !g_alloc.count(last.first)) {
      auto it = g_alloc.upper_bound(a);
      last = {0, nullptr};
      if (it != g_alloc.begin()) { --it; last = {it->first, &it->second}; }
    }
    size_t o = a - last.first;
    if (!last.second || o + n > last.second->bytes) { report(write ? "out-of-bounds global write" : "out-of-bounds global read", "buffer", o, R->cur, pc, -1, nullptr); return; }
    if (o % n) report("misaligned global access", "buffer", o, R->cur, pc, -1, nullptr);
    need_cells(*last.second);
    for (size_t i = o / kGran; i < (o + n + kGran - 1) / kGran; i++) touch(last.second->cells[i], write, atomic, R->cur, pc, "global buffer", i * kGran);
  }
}
void on_atomic(void* p, unsigned n) { simt_access(p, n, true, true, __builtin_return_address(0)); }
}  // namespace gpu

// ------------------------------------------------------------------ the -fsanitize=thread ABI, minus libtsan
#ifndef TWINAGE_NO_TSAN_ABI
#define RA __builtin_return_address(0)
extern "C" {
void __tsan_init() { gpu::g_checking = true; twinage::simt_memory::set_listener({gpu::on_allocated, gpu::on_freed, gpu::on_written}); }
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
#define ACC(N)                                                                           \
  void __tsan_read##N(void* p) { gpu::simt_access(p, N, false, false, RA); }                  \
  void __tsan_write##N(void* p) { gpu::simt_access(p, N, true, false, RA); }                  \
  void __tsan_unaligned_read##N(void* p) { gpu::simt_access(p, N, false, false, RA); }        \
  void __tsan_unaligned_write##N(void* p) { gpu::simt_access(p, N, true, false, RA); }        \
  void __tsan_volatile_read##N(void* p) { gpu::simt_access(p, N, false, false, RA); }         \
  void __tsan_volatile_write##N(void* p) { gpu::simt_access(p, N, true, false, RA); }         \
  void __tsan_read_write##N(void* p) { gpu::simt_access(p, N, true, false, RA); }
ACC(1) ACC(2) ACC(4) ACC(8) ACC(16)
void __tsan_read_range(void* p, unsigned long n) { gpu::simt_access(p, unsigned(n), false, false, RA); }
void __tsan_write_range(void* p, unsigned long n) { gpu::simt_access(p, unsigned(n), true, false, RA); }
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void* __tsan_memcpy(void* d, const void* s, unsigned long n) { gpu::simt_access(const_cast<void*>(s), unsigned(n), false, false, RA); gpu::simt_access(d, unsigned(n), true, false, RA); return memcpy(d, s, n); }
void* __tsan_memset(void* d, int c, unsigned long n) { gpu::simt_access(d, unsigned(n), true, false, RA); return memset(d, c, n); }
void* __tsan_memmove(void* d, const void* s, unsigned long n) { return memmove(d, s, n); }
}
#endif
