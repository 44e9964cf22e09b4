/* Reads a face with Twinage's C interface:
 *   cc read_face.c $(pkg-config --cflags --libs twinage) -o read_face
 *   ./read_face run face.jpg */
#include <stdio.h>
#include <twinage.h>

static int complain(void) {
  fprintf(stderr, "%s\n", twinage_message());
  return 1;
}

int main(int argc, char** argv) {
  twinage_model* model;
  twinage_face* face;
  double low, high, share, female, age, distance;
  const char* name;
  const float* embedding;
  size_t i, width;
  if (argc != 3) {
    fprintf(stderr, "usage: read_face RUN FACE\n");
    return 2;
  }
  if (twinage_open(argv[1], NULL, &model) != TWINAGE_OK) return complain();
  if (twinage_read_file(model, argv[2], &face) != TWINAGE_OK) {
    twinage_close(model);
    return complain();
  }
  printf("age %.2f\n", twinage_age(face));
  if (twinage_interval(face, &low, &high, &share) == TWINAGE_OK)
    printf("interval %.2f %.2f\n", low, high);
  if (twinage_female(face, &female) == TWINAGE_OK) printf("female %.4f\n", female);
  if (twinage_embedding(face, &embedding, &width) == TWINAGE_OK)
    printf("embedding of %zu numbers, the first %.6f\n", width, embedding[0]);
  for (i = 0; i < twinage_nearest_count(face); ++i) {
    twinage_nearest(face, i, &name, &age, &distance);
    printf("like %s, %.0f years, at a distance of %.4f\n", name, age, distance);
  }
  twinage_face_free(face);
  twinage_close(model);
  return 0;
}
