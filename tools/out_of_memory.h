// What happens where no memory is left and no exception can say so.
#pragma once

namespace twinage {

// An allocation that fails throws std::bad_alloc, which main() reports. It cannot where nothing
// catches it: before main() begins (CLI11 has objects of its own), in destructors and other
// functions that must not throw (nlohmann::json allocates in its destructor), on threads. There the
// program ends with exit code 1 and the same line, too, not with a signal. This holds from before
// the first static object of the program on, wherever this function is called from.
void end_without_memory_in_words();

// What is said then; one line.
extern const char* const kNoMemoryLeft;

}  // namespace twinage
