// zita-convolver (Debian: libzita-convolver-dev).
#include <zita-convolver.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <thread>

#include "peers.hpp"

namespace peers {
namespace {

struct Zita {
  Zita(const Case& c, const Rows& taps, unsigned longest_partition) {
    processor.set_options(Convproc::OPT_FFTW_MEASURE | Convproc::OPT_VECTOR_MODE);
    const auto unsigned_of = [](int count) { return static_cast<unsigned>(count); };
    bool is_ready = processor.configure(unsigned_of(c.inputs), unsigned_of(c.outputs), unsigned_of(c.taps),
                                        unsigned_of(c.block), unsigned_of(c.block), longest_partition, 0.0f) == 0;
    for (int p = 0; p < c.inputs * c.outputs; ++p) {
      std::vector<float> path = taps[static_cast<std::size_t>(p)];
      is_ready = is_ready && processor.impdata_create(unsigned_of(p % c.inputs), unsigned_of(p / c.inputs), 1,
                                                      path.data(), 0, c.taps) == 0;
    }
    is_ready = is_ready && processor.start_process(0, SCHED_OTHER) == 0;
    if (!is_ready) throw std::runtime_error("zita-convolver does not take this case");
  }
  ~Zita() {
    processor.stop_process();
    while (!processor.check_stop()) std::this_thread::yield();
    processor.cleanup();
  }
  Convproc processor;
};

Form zita_form(const Case& c, const Rows& taps, const char* name, unsigned longest_partition, bool is_on_this_thread) {
  const auto zita = std::make_shared<Zita>(c, taps, longest_partition);
  const auto play = [zita](forestage::ConstAudioBlock in, forestage::AudioBlock out) {
    for (int i = 0; i < in.channels; ++i)
      std::copy_n(in[i], in.frames, zita->processor.inpdata(static_cast<unsigned>(i)));
    zita->processor.process(true);
    for (int o = 0; o < out.channels; ++o)
      std::copy_n(zita->processor.outdata(static_cast<unsigned>(o)), out.frames, out[o]);
  };
  return {name, play, is_on_this_thread};
}

}  // namespace

std::vector<Form> zita_forms(const Case& c, const Rows& taps) {
  if (c.block < static_cast<int>(Convproc::MINPART)) return {};  // it would add latency
  return {zita_form(c, taps, "zita-convolver, one level", static_cast<unsigned>(c.block), true),
          zita_form(c, taps, "zita-convolver, threads", Convproc::MAXPART, false)};
}

}  // namespace peers
