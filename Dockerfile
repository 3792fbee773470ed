# One image for web, workers and migrate; docker-compose.yml chooses the command of each container.

ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS builder
WORKDIR /app
RUN python -m venv --without-pip /opt/greenroom
COPY requirements.lock ./
RUN pip --python /opt/greenroom/bin/python install --no-cache-dir --require-hashes -r requirements.lock
COPY LICENSE README.md pyproject.toml ./
COPY models models
COPY worker worker
COPY service service
RUN pip --python /opt/greenroom/bin/python install --no-cache-dir --no-deps --no-build-isolation --editable . \
    && /opt/greenroom/bin/python -m compileall -q models worker service

FROM python:${PYTHON_VERSION}-slim
# Volumes inherit the owner of these folders. /data holds the keys, /published the public threads.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin greenroom \
    && install -d -o greenroom -g greenroom -m 700 /data \
    && install -d -o greenroom -g greenroom -m 755 /published
COPY --from=builder /opt/greenroom /opt/greenroom
COPY --from=builder /app /app
ENV PATH=/opt/greenroom/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GREENROOM_DATA=/data \
    GREENROOM_HOST=0.0.0.0 \
    GREENROOM_PORT=8000
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# `live`, not `ready`: restarting the container does not repair the database.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
ENTRYPOINT ["greenroom"]
CMD ["serve"]
