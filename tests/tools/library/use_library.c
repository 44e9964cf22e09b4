/* What twinage.h promises, asked of the installed library: use_library RUN NO_GENDER_RUN FACE
 * OTHER_FACE NO_PICTURE Prints each check; exits with 1 if one does not hold. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <twinage.h>

static int failures = 0;

static void check(const char* what, int holds) {
  printf("%s%s\n", holds ? "" : "FAILED: ", what);
  failures += !holds;
}
static int says(const char* part) {
  return strstr(twinage_message(), part) != NULL;
}

static unsigned char* contents(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  unsigned char* bytes = malloc(1 << 20);
  *size = fread(bytes, 1, 1 << 20, file);
  fclose(file);
  return bytes;
}

enum { kThreads = 8, kReadings = 12 };

struct shared {
  twinage_model* model;
  const char* paths[2];
  char expected[2][8192];
  int wrong[kThreads];
  int mixed[kThreads];
};
struct task {
  struct shared* shared;
  int number;
};

static void* read_many(void* argument) {
  struct task* task = argument;
  struct shared* s = task->shared;
  char wanted[64];
  int i;
  for (i = 0; i < kReadings; ++i) {
    const int which = (task->number + i) % 2;
    twinage_face* face;
    if (twinage_read_file(s->model, s->paths[which], &face) != TWINAGE_OK ||
        strcmp(twinage_json(face), s->expected[which]) != 0)
      ++s->wrong[task->number];
    twinage_face_free(face);
    /* Each thread has its own message. */
    snprintf(wanted, sizeof wanted, "no-such-file-of-%d", task->number);
    if (twinage_read_file(s->model, wanted, &face) != TWINAGE_BAD_PICTURE || !says(wanted))
      ++s->mixed[task->number];
  }
  return NULL;
}

static void threads_agree(twinage_model* model, const char* first, const char* second) {
  struct shared s = {model, {first, second}, {"", ""}, {0}, {0}};
  struct task tasks[kThreads];
  pthread_t threads[kThreads];
  int i, wrong = 0, mixed = 0;
  for (i = 0; i < 2; ++i) {
    twinage_face* face;
    twinage_read_file(model, s.paths[i], &face);
    snprintf(s.expected[i], sizeof s.expected[i], "%s", twinage_json(face));
    twinage_face_free(face);
  }
  check("two faces are not the same", strcmp(s.expected[0], s.expected[1]) != 0);
  for (i = 0; i < kThreads; ++i) {
    tasks[i].shared = &s;
    tasks[i].number = i;
    pthread_create(&threads[i], NULL, read_many, &tasks[i]);
  }
  for (i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  for (i = 0; i < kThreads; ++i) wrong += s.wrong[i], mixed += s.mixed[i];
  check("eight threads at once read what one reads", wrong == 0);
  check("and each has its own message", mixed == 0);
}

/* More than are computed together: each in its place, and a bad one among them. */
static void many_files(twinage_model* model, const char* first, const char* second,
                       const char* bad) {
  enum { kFiles = 70, kBad = 40 };
  const char* paths[kFiles];
  twinage_face *faces[kFiles], *alone[2];
  twinage_status statuses[kFiles], ended;
  int i, wrong = 0;
  twinage_read_file(model, first, &alone[0]);
  twinage_read_file(model, second, &alone[1]);
  for (i = 0; i < kFiles; ++i) paths[i] = i == kBad ? bad : i % 3 == 0 ? second : first;
  ended = twinage_read_files(model, paths, kFiles, faces, statuses);
  for (i = 0; i < kFiles; ++i) {
    if (i == kBad)
      wrong += faces[i] != NULL || statuses[i] != TWINAGE_BAD_PICTURE;
    else
      wrong += statuses[i] != TWINAGE_OK ||
               twinage_age(faces[i]) != twinage_age(alone[i % 3 == 0 ? 1 : 0]);
    twinage_face_free(faces[i]);
  }
  check("seventy files, one of them bad: each in its place",
        wrong == 0 && ended == TWINAGE_BAD_PICTURE && says(bad));
  twinage_face_free(alone[0]);
  twinage_face_free(alone[1]);
}

static void bad_calls(twinage_model* model, const char* run) {
  twinage_model* other = model;
  twinage_face* face = (twinage_face*)model;
  twinage_options options = TWINAGE_OPTIONS_INIT;
  const float* values;
  size_t count;
  check("no path", twinage_open(NULL, NULL, &other) == TWINAGE_BAD_CALL && other == NULL &&
                       says("path is null"));
  check("nowhere to put a model", twinage_open(run, NULL, NULL) == TWINAGE_BAD_CALL);
  check("a model that is not there", twinage_open("nowhere", NULL, &other) == TWINAGE_BAD_MODEL &&
                                         other == NULL && says("nowhere"));
  options.device = "toaster";
  check("a device that there is not",
        twinage_open(run, &options, &other) == TWINAGE_BAD_CALL && says("toaster"));
  options.device = "simt";
  check("device simt is not for a library",
        twinage_open(run, &options, &other) == TWINAGE_BAD_CALL && says("simt"));
  options.device = NULL;
  options.readout = "tea leaves";
  check("a read-out that there is not",
        twinage_open(run, &options, &other) == TWINAGE_BAD_CALL && says("tea leaves"));
  options.readout = NULL;
  options.threads = -1;
  check("less than no threads",
        twinage_open(run, &options, &other) == TWINAGE_BAD_CALL && says("-1"));
  options.threads = 0;
  options.size = 3;
  check("options of another size",
        twinage_open(run, &options, &other) == TWINAGE_BAD_CALL && says("TWINAGE_OPTIONS_INIT"));
  check("no model", twinage_read_file(NULL, "x", &face) == TWINAGE_BAD_CALL && face == NULL &&
                        says("model is null"));
  check("no bytes",
        twinage_read_memory(model, NULL, 3, &face) == TWINAGE_BAD_CALL && says("bytes is null"));
  check("nothing in them",
        twinage_read_memory(model, NULL, 0, &face) == TWINAGE_BAD_PICTURE && face == NULL);
  check("no face to say it of", twinage_embedding(NULL, &values, &count) == TWINAGE_BAD_CALL &&
                                    isnan(twinage_age(NULL)) && twinage_nearest_count(NULL) == 0 &&
                                    strcmp(twinage_json(NULL), "") == 0);
  twinage_close(NULL);
  twinage_face_free(NULL);
}

int main(int argc, char** argv) {
  twinage_model *model, *no_gender;
  twinage_face *face, *again, *faces[3];
  twinage_status statuses[3];
  const char* paths[3];
  const char* name;
  const float* values;
  unsigned char* bytes;
  double low, high, share, female, age, distance, before = 0;
  size_t i, size, count;
  if (argc != 6) return 2;
  check("it has a version", strcmp(twinage_version(), "0.1") == 0);
  check("nothing was wrong yet", strcmp(twinage_message(), "") == 0);
  check("a model is opened", twinage_open(argv[1], NULL, &model) == TWINAGE_OK);
  check("a file is read", twinage_read_file(model, argv[3], &face) == TWINAGE_OK);
  bytes = contents(argv[3], &size);
  check("and from memory", twinage_read_memory(model, bytes, size, &again) == TWINAGE_OK);
  check("as the same age", twinage_age(face) == twinage_age(again) && twinage_age(face) > 0);
  check("cut off it is no picture",
        twinage_read_memory(model, bytes, size / 2, &faces[0]) == TWINAGE_BAD_PICTURE &&
            faces[0] == NULL);
  free(bytes);
  check("an interval around it", twinage_interval(face, &low, &high, &share) == TWINAGE_OK &&
                                     low <= twinage_age(face) && twinage_age(face) <= high &&
                                     (isnan(share) || share == 0.8));
  check("a probability", twinage_female(face, &female) == TWINAGE_OK && female >= 0 && female <= 1);
  check("an embedding", twinage_embedding(face, &values, &count) == TWINAGE_OK && count == 128 &&
                            isfinite(values[count - 1]));
  check("five nearest", twinage_nearest_count(face) == 5);
  for (i = 0; i < 5; ++i) {
    twinage_nearest(face, i, &name, &age, &distance);
    if (distance < before || age < 0 || strlen(name) == 0) break;
    before = distance;
  }
  check("the nearest first", i == 5);
  check("and no sixth", twinage_nearest(face, 5, NULL, NULL, NULL) == TWINAGE_BAD_CALL);
  paths[0] = argv[3], paths[1] = argv[5], paths[2] = argv[4];
  check("of several one is no picture",
        twinage_read_files(model, paths, 3, faces, statuses) == TWINAGE_BAD_PICTURE &&
            says(argv[5]) && faces[0] != NULL && faces[1] == NULL && faces[2] != NULL &&
            statuses[0] == TWINAGE_OK && statuses[1] == TWINAGE_BAD_PICTURE &&
            statuses[2] == TWINAGE_OK);
  check("the others are read", strcmp(twinage_json(faces[0]), twinage_json(face)) == 0);
  for (i = 0; i < 3; ++i) twinage_face_free(faces[i]);
  check("none at all", twinage_read_files(model, NULL, 0, NULL, NULL) == TWINAGE_OK);
  bad_calls(model, argv[1]);
  threads_agree(model, argv[3], argv[4]);
  many_files(model, argv[3], argv[4], argv[5]);
  twinage_close(model);
  check("a face outlives its model", twinage_age(face) == twinage_age(again));
  twinage_face_free(face);
  twinage_face_free(again);

  face = NULL;
  check("a model that learnt no gender",
        twinage_open(argv[2], NULL, &no_gender) == TWINAGE_OK &&
            twinage_read_file(no_gender, argv[3], &face) == TWINAGE_OK);
  check("knows none", twinage_female(face, &female) == TWINAGE_NOT_KNOWN && says("gender"));
  twinage_face_free(face);
  twinage_close(no_gender);
  return failures > 0;
}
