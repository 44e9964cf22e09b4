/* Twinage from C, and from whatever can call C: age and gender of faces, read by a trained model.
 *
 *   twinage_model* model;
 *   twinage_face* face;
 *   if (twinage_open("run", NULL, &model) != TWINAGE_OK ||
 *       twinage_read_file(model, "face.jpg", &face) != TWINAGE_OK)
 *     fprintf(stderr, "%s\n", twinage_message());
 *   printf("%.1f years\n", twinage_age(face));
 *
 * Every function that can fail returns a twinage_status; what was wrong, and what to do, is
 * twinage_message(), a line in English. No C++ exception leaves this library, it writes to neither
 * stdout nor stderr and it changes no signal handler. What is made here is freed here. Strings are
 * UTF-8, but for paths, whose bytes are the system's own.
 *
 * Threads: every function may be called from any thread. Readings by one model wait for each other
 * and each uses the model's threads; models do not wait for one another. A face is not changed
 * after it was made, and outlives its model. Nobody may still use what is being closed or freed.
 *
 * What stands here stays: symbols have the version TWINAGE_0.1, new functions come with a new one,
 * and twinage_options has room to grow.
 */
#ifndef TWINAGE_H
#define TWINAGE_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

typedef enum twinage_status {
  TWINAGE_OK = 0,
  TWINAGE_BAD_CALL = 1,  /* an argument that makes no sense: a null pointer, an unknown device */
  TWINAGE_BAD_MODEL = 2, /* there is no such model, or it is damaged */
  TWINAGE_BAD_PICTURE =
      3,                 /* it cannot be read: not there, cut off, of a format that is not known */
  TWINAGE_NOT_KNOWN = 4, /* this model cannot tell that: see twinage_message() */
  TWINAGE_NO_MEMORY = 5,
  TWINAGE_FAILED = 6 /* anything else */
} twinage_status;

typedef struct twinage_model twinage_model;
typedef struct twinage_face twinage_face; /* one picture that was read */

/* "0.1.0" */
const char* twinage_version(void);

/* What the last function of this library that failed in this thread had to say; "" if none has.
 * Stays until the next one fails in this thread. */
const char* twinage_message(void);

/* How a model computes. Begin with TWINAGE_OPTIONS_INIT: zeros are the defaults. */
typedef struct twinage_options {
  size_t size;        /* sizeof(twinage_options), by which a later library knows an older program */
  const char* device; /* "cpu" (if null), "cuda", "cuda:1" */
  int threads;        /* of the host's processors; 0: all */
  const char* readout; /* "comparison", "knn", "prototype", "expectation"; null: the model's own */
} twinage_options;
#define TWINAGE_OPTIONS_INIT \
  { sizeof(twinage_options), 0, 0, 0 }

/* path: a run directory or a model file. options: or null. *model is null unless TWINAGE_OK. */
twinage_status twinage_open(const char* path, const twinage_options* options,
                            twinage_model** model);
void twinage_close(twinage_model* model); /* null: nothing */

/* Reads a picture (JPEG, PNG, BMP) of one frontal face that fills it. *face is null unless
 * TWINAGE_OK. */
twinage_status twinage_read_file(twinage_model* model, const char* path, twinage_face** face);
/* The bytes of such a file; they are not kept. */
twinage_status twinage_read_memory(twinage_model* model, const void* bytes, size_t size,
                                   twinage_face** face);
/* Several, which is faster than one by one. faces: [count]; of one that cannot be read it is null,
 * the others are read, and the call returns TWINAGE_BAD_PICTURE with the first one's message. After
 * any other failure all are null. statuses: [count], or null. */
twinage_status twinage_read_files(twinage_model* model, const char* const* paths, size_t count,
                                  twinage_face** faces, twinage_status* statuses);
void twinage_face_free(twinage_face* face); /* null: nothing */

/* Of a face, which must not be null. */

/* Years. */
double twinage_age(const twinage_face* face);
/* Years between which the true age lies with a probability of *share (0.8, say); NaN where too few
 * faces were held out in training to say how often that is so, and TWINAGE_NOT_KNOWN where they
 * were too few for an interval. Any pointer may be null. */
twinage_status twinage_interval(const twinage_face* face, double* low, double* high, double* share);
/* P(female), 0 to 1. TWINAGE_NOT_KNOWN of a model that learnt no gender. */
twinage_status twinage_female(const twinage_face* face, double* probability);
/* What the faces are compared by: *count numbers, which stay the face's. TWINAGE_NOT_KNOWN of a
 * model without one. */
twinage_status twinage_embedding(const twinage_face* face, const float** values, size_t* count);
/* How many of the faces of known age that are nearest to this one can be asked for (at most 5). */
size_t twinage_nearest_count(const twinage_face* face);
/* The one of this rank, 0 the nearest: its name in training, its age in years, its distance. The
 * name stays the face's. Any pointer may be null. */
twinage_status twinage_nearest(const twinage_face* face, size_t rank, const char** name,
                               double* age, double* distance);
/* All of it as `twinage predict --json` says it: an object on one line. It stays the face's. */
const char* twinage_json(const twinage_face* face);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
