// SwiftPM wants a source file in every C target; everything is in the header, so that it is inlined.
#include "linux.h"
